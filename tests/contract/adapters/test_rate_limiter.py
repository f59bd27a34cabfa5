"""The contract of `RateLimiter`, held by the fake and by DynamoDB."""

from functools import partial

import pytest

from plinth.adapters.dynamo_rate_limiter import DynamoRateLimiter
from plinth.contracts.access import Admission
from plinth.contracts.tenant import Tenant
from plinth.ports import RateLimiter
from tests.contract.adapters.conftest import at_once
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limiter import FakeRateLimiter


@pytest.fixture(params=["fake", "dynamodb"])
def limiter(request: pytest.FixtureRequest, clock: FakeClock) -> RateLimiter:
    if request.param == "fake":
        return FakeRateLimiter(clock)
    return DynamoRateLimiter(table=request.getfixturevalue("table"), clock=clock)


def admit(limiter: RateLimiter, tenant: Tenant) -> Admission:
    """Ask for one request at one per second, with a burst of 5."""
    return limiter.admit(tenant, requests_per_minute=60, burst=5)


@pytest.mark.guarantee_c
def test_a_burst_is_admitted_and_the_next_request_is_told_when(limiter: RateLimiter, tenant: Tenant) -> None:
    admissions = [admit(limiter, tenant) for _ in range(6)]

    assert [each.admitted for each in admissions] == [True] * 5 + [False]
    assert [each.remaining for each in admissions] == [4, 3, 2, 1, 0, 0]
    assert [each.retry_after_seconds for each in admissions] == [0.0] * 5 + [1.0]


@pytest.mark.guarantee_c
def test_retry_after_is_exact(limiter: RateLimiter, tenant: Tenant, clock: FakeClock) -> None:
    for _ in range(5):
        admit(limiter, tenant)
    clock.advance(0.25)
    refused = admit(limiter, tenant)

    clock.advance(refused.retry_after_seconds - 0.001)
    assert not admit(limiter, tenant).admitted
    clock.advance(0.001)
    assert admit(limiter, tenant).admitted


def test_a_refusal_takes_nothing(limiter: RateLimiter, tenant: Tenant, clock: FakeClock) -> None:
    for _ in range(20):
        admit(limiter, tenant)
    clock.advance(5)

    assert [admit(limiter, tenant).admitted for _ in range(6)] == [True] * 5 + [False]


def test_an_idle_tenant_saves_up_no_more_than_a_burst(limiter: RateLimiter, tenant: Tenant, clock: FakeClock) -> None:
    admit(limiter, tenant)
    clock.advance(3600)

    assert [admit(limiter, tenant).admitted for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.guarantee_e
def test_tenants_do_not_share_an_allowance(limiter: RateLimiter, tenant: Tenant, other_tenant: Tenant) -> None:
    for _ in range(6):
        admit(limiter, tenant)

    assert admit(limiter, other_tenant).remaining == 4


@pytest.mark.guarantee_c
def test_of_24_threads_exactly_the_burst_is_admitted(limiter: RateLimiter, tenant: Tenant) -> None:
    admissions = at_once([partial(admit, limiter, tenant)] * 24)

    assert sum(each.admitted for each in admissions) == 5
    assert sorted(each.remaining for each in admissions if each.admitted) == [0, 1, 2, 3, 4]


@pytest.mark.guarantee_c
def test_skewed_clocks_admit_no_more_than_the_stated_bound(request: pytest.FixtureRequest, tenant: Tenant) -> None:
    """The bound is burst + rate x (window + 2 x skew): 5 + 1/s x (10 s + 2 x 2 s)."""
    clocks = [FakeClock(1_800_000_000.0 + skew) for skew in (-2.0, 0.0, 2.0)]
    table = request.getfixturevalue("table")
    limiters = [DynamoRateLimiter(table=table, clock=clock) for clock in clocks]

    admitted = 0
    for _ in range(21):
        admitted += sum(admit(limiter, tenant).admitted for limiter in limiters for _ in range(2))
        for clock in clocks:
            clock.advance(0.5)

    assert 15 <= admitted <= 19
