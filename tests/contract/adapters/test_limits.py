"""The contract of `Limits`, held by the fake and by DynamoDB."""

from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from plinth.adapters.dynamo_limits import DynamoLimits
from plinth.adapters.dynamo_running import DynamoRunning
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.access import Priority, Tier
from plinth.contracts.limits import Admission, LimitName
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.ports.access import Limits
from tests.contract.adapters.conftest import at_once, made_table
from tests.fakes.clock import FakeClock
from tests.fakes.limits import FakeLimits

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNLIMITED = Tier(name="any", models=("m",), max_output_tokens=1)
REQUESTS = replace(UNLIMITED, requests_per_minute=60, burst=5)
TOKENS = replace(UNLIMITED, tokens_per_minute=600)
RUNS = replace(UNLIMITED, concurrent_runs=3)
ALL = replace(UNLIMITED, requests_per_minute=60, burst=5, tokens_per_minute=600, concurrent_runs=3)
NUMBERS = count(1)


@pytest.fixture(params=["fake", "dynamodb"])
def limits(request: pytest.FixtureRequest, clock: FakeClock) -> Limits:
    if request.param == "fake":
        return FakeLimits(clock)
    return DynamoLimits(table=request.getfixturevalue("table"), clock=clock)


@pytest.fixture
def run(tenant: Tenant, clock: FakeClock) -> Run:
    return a_run(tenant, clock)


def a_run(tenant: Tenant, clock: FakeClock) -> Run:
    return Run(id=f"run_{next(NUMBERS):026d}", tenant=tenant, epoch=1, deadline=clock.now() + 270)


def ask(limits: Limits, run: Run, tier: Tier, *, tokens: int = 100) -> Admission:
    """Ask for one more run of the same tenant."""
    return limits.admit(replace(run, id=f"run_{next(NUMBERS):026d}"), tier, tokens=tokens)


def remaining(limits: Limits, run: Run, tier: Tier) -> list[int]:
    return [left.remaining for left in limits.left(run.tenant, tier)]


@pytest.mark.guarantee_c
def test_a_burst_is_admitted_and_the_next_request_is_told_when(limits: Limits, run: Run) -> None:
    admissions = [ask(limits, run, REQUESTS) for _ in range(6)]

    assert [each.refused_by for each in admissions] == [None] * 5 + [LimitName.REQUESTS]
    assert [each.left[0].remaining for each in admissions] == [4, 3, 2, 1, 0, 0]
    assert [each.retry_after_seconds for each in admissions] == [0.0] * 5 + [1.0]


@pytest.mark.guarantee_c
def test_a_run_that_holds_no_place_is_admitted_though_every_place_is_taken_but_takes_a_request(
    limits: Limits, run: Run
) -> None:
    tier = replace(REQUESTS, concurrent_runs=1)
    assert ask(limits, run, tier).admitted
    before = remaining(limits, run, tier)

    assert ask(limits, run, tier).refused_by is LimitName.CONCURRENCY
    held = replace(run, id=f"run_{next(NUMBERS):026d}")
    assert limits.admit(held, tier, tokens=0, holds=False).admitted

    assert remaining(limits, run, tier) == [before[0] - 1, 0]


@pytest.mark.guarantee_c
@pytest.mark.parametrize("tier", [TOKENS, ALL], ids=["tokens", "all"])
def test_a_run_that_takes_no_tokens_is_admitted_though_they_are_used_up(limits: Limits, run: Run, tier: Tier) -> None:
    assert ask(limits, run, tier, tokens=1200).admitted
    before = {left.limit: left.remaining for left in limits.left(run.tenant, tier)}
    assert ask(limits, run, tier, tokens=1).refused_by is LimitName.TOKENS

    assert limits.admit(replace(run, id=f"run_{next(NUMBERS):026d}"), tier, tokens=0, holds=False).admitted

    after = {left.limit: left.remaining for left in limits.left(run.tenant, tier)}
    assert after == before | ({LimitName.REQUESTS: 3} if LimitName.REQUESTS in before else {})
    assert ask(limits, run, tier, tokens=1).refused_by is LimitName.TOKENS


@pytest.mark.guarantee_c
@pytest.mark.parametrize(("tier", "takes"), [(REQUESTS, 100), (TOKENS, 200)], ids=["requests", "tokens"])
def test_the_time_to_come_back_is_exact_to_the_millisecond(
    limits: Limits, run: Run, clock: FakeClock, tier: Tier, takes: int
) -> None:
    while ask(limits, run, tier, tokens=takes).admitted:
        clock.advance(0.0625)
    refused = ask(limits, run, tier, tokens=takes)

    clock.advance(refused.retry_after_seconds - 0.001)
    assert not ask(limits, run, tier, tokens=takes).admitted
    clock.advance(0.001)
    assert ask(limits, run, tier, tokens=takes).admitted


@pytest.mark.guarantee_c
@pytest.mark.parametrize("refusing", [LimitName.REQUESTS, LimitName.TOKENS, LimitName.CONCURRENCY])
def test_a_refusal_takes_nothing_from_any_limit(limits: Limits, run: Run, refusing: LimitName) -> None:
    tight = {
        LimitName.REQUESTS: replace(ALL, burst=1),
        LimitName.TOKENS: replace(ALL, tokens_per_minute=150),
        LimitName.CONCURRENCY: replace(ALL, concurrent_runs=1),
    }
    tier = tight[refusing]
    ask(limits, run, tier)
    before = remaining(limits, run, tier)

    refused = [ask(limits, run, tier).refused_by for _ in range(5)]

    assert refused == [refusing] * 5
    assert remaining(limits, run, tier) == before


@pytest.mark.guarantee_c
def test_an_idle_tenant_saves_up_no_more_than_a_burst(limits: Limits, run: Run, clock: FakeClock) -> None:
    ask(limits, run, REQUESTS)
    clock.advance(3600)

    assert [ask(limits, run, REQUESTS).admitted for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.guarantee_c
def test_a_run_gives_back_its_place_and_what_it_did_not_use_once(limits: Limits, run: Run) -> None:
    limits.admit(run, ALL, tokens=500)
    during = remaining(limits, run, ALL)

    for _ in range(3):
        limits.ended(run, used_tokens=150)

    assert (during, remaining(limits, run, ALL)) == ([4, 100, 2], [4, 450, 3])


@pytest.mark.guarantee_c
@pytest.mark.parametrize("idle_seconds", [0, 200], ids=["while tokens are taken", "when they are full again"])
def test_tokens_above_the_estimate_are_paid_by_the_runs_after(
    limits: Limits, run: Run, clock: FakeClock, idle_seconds: int
) -> None:
    limits.admit(run, TOKENS, tokens=100)
    clock.advance(idle_seconds)
    limits.ended(run, used_tokens=400)

    assert remaining(limits, run, TOKENS) == [200 if idle_seconds == 0 else 300]


@pytest.mark.guarantee_c
def test_a_bill_that_nobody_knows_leaves_the_estimate(limits: Limits, run: Run) -> None:
    limits.admit(run, ALL, tokens=500)

    limits.ended(run, used_tokens=None)

    assert remaining(limits, run, ALL) == [4, 100, 3]


@pytest.mark.guarantee_c
def test_lost_runs_lose_their_places_at_their_deadline(limits: Limits, run: Run, clock: FakeClock) -> None:
    for _ in range(3):
        ask(limits, run, RUNS)
    clock.advance(269)
    refused = ask(limits, run, RUNS)
    clock.advance(1)

    assert refused.refused_by is LimitName.CONCURRENCY
    later = a_run(run.tenant, clock)
    assert [ask(limits, later, RUNS).admitted for _ in range(4)] == [True] * 3 + [False]


def test_the_end_of_a_run_that_took_nothing_changes_nothing(limits: Limits, run: Run) -> None:
    limits.ended(run, used_tokens=10)

    assert limits.admit(run, UNLIMITED, tokens=10) == Admission()
    assert remaining(limits, run, ALL) == [5, 600, 3]


def test_a_new_tier_is_in_force_at_once(limits: Limits, run: Run) -> None:
    for _ in range(4):
        ask(limits, run, RUNS)

    assert ask(limits, run, replace(RUNS, concurrent_runs=4)).admitted
    assert ask(limits, run, UNLIMITED).admitted


@pytest.mark.guarantee_c
@pytest.mark.guarantee_e
def test_tenants_do_not_share_an_allowance(limits: Limits, run: Run, other_tenant: Tenant) -> None:
    for _ in range(6):
        ask(limits, run, ALL)

    assert [left.remaining for left in limits.left(other_tenant, ALL)] == [5, 600, 3]


@pytest.mark.guarantee_c
def test_the_row_of_a_tenant_names_no_other(
    table: Table, dynamodb: "DynamoDBClient", run: Run, clock: FakeClock
) -> None:
    keys: list[Any] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            def call(**request: Any) -> Any:
                keys.append(request["Key"])
                return getattr(dynamodb, name)(**request)

            return call

    watched: Any = Watched()
    limits = DynamoLimits(table=Table(client=watched, name=table.name), clock=clock)
    limits.admit(run, ALL, tokens=1)
    limits.left(run.tenant, ALL)
    limits.ended(run, used_tokens=1)

    assert {(key["pk"]["S"], key["sk"]["S"]) for key in keys} == {(f"TENANT#{run.tenant.id}", "LIMITS")}


@pytest.mark.guarantee_c
@pytest.mark.parametrize(
    ("tier", "admitted"),
    [(REQUESTS, 5), (TOKENS, 6), (RUNS, 3), (ALL, 3)],
    ids=["requests", "tokens", "concurrency", "all"],
)
def test_of_24_threads_exactly_the_burst_is_admitted(limits: Limits, run: Run, tier: Tier, admitted: int) -> None:
    admissions = at_once([partial(ask, limits, run, tier)] * 24)

    assert sum(each.admitted for each in admissions) == admitted
    left = sorted(each.left[-1].remaining for each in admissions if each.admitted)
    assert len(set(left)) == admitted
    assert left[0] == 0


@pytest.mark.guarantee_c
def test_24_threads_that_end_their_runs_while_others_begin_never_hold_more_places_than_there_are(
    limits: Limits, tenant: Tenant, clock: FakeClock
) -> None:
    def begin_and_end() -> bool:
        run = a_run(tenant, clock)
        admitted = limits.admit(run, RUNS, tokens=1)
        if admitted.admitted:
            assert 0 <= admitted.left[0].remaining < 3
            limits.ended(run, used_tokens=1)
        return admitted.admitted

    assert any(at_once([begin_and_end] * 24))
    assert [left.remaining for left in limits.left(tenant, RUNS)] == [3]


@pytest.mark.guarantee_c
def test_skewed_clocks_admit_no_more_than_the_stated_bound(table: Table, run: Run) -> None:
    """The bound is burst + rate x (window + 2 x skew): 5 + 1/s x (10 s + 2 x 2 s), and ten tokens a request."""
    clocks = [FakeClock(1_800_000_000.0 + skew) for skew in (-2.0, 0.0, 2.0)]
    all_limits = [DynamoLimits(table=table, clock=clock) for clock in clocks]
    tiers = [REQUESTS, replace(UNLIMITED, tokens_per_minute=600)]
    tenants = [run, replace(run, tenant=Tenant(id=f"{run.tenant.id}-two"))]

    admitted = [0, 0]
    for _ in range(21):
        for each, (tier, asker) in enumerate(zip(tiers, tenants, strict=True)):
            admitted[each] += sum(
                ask(limits, asker, tier, tokens=120).admitted for limits in all_limits for _ in range(2)
            )
        for clock in clocks:
            clock.advance(0.5)

    assert 15 <= admitted[0] <= 19
    assert 5 <= admitted[1] <= (600 + 10 * 14) / 120


@pytest.mark.guarantee_c
@pytest.mark.parametrize("kind", ["fake", "dynamodb"])
def test_a_full_environment_turns_low_priorities_away_first_and_takes_nothing_of_theirs(
    request: pytest.FixtureRequest, tenant: Tenant, clock: FakeClock, kind: str
) -> None:
    limits: Limits = FakeLimits(clock, capacity=10)
    if kind == "dynamodb":
        table = made_table(request.getfixturevalue("dynamodb"))
        running = DynamoRunning(table=table, clock=clock, capacity=10)
        limits = DynamoLimits(table=table, clock=clock, running=running)
    runs: list[Run] = []
    admitted: dict[Priority, int] = {}
    for priority in Priority:
        tier = replace(REQUESTS, burst=20, priority=priority)
        for _ in range(12):
            run = a_run(tenant, clock)
            if limits.admit(run, tier, tokens=1).admitted:
                runs.append(run)
        admitted[priority] = len(runs)
    left = remaining(limits, runs[0], replace(REQUESTS, burst=20))
    for run in runs[:4]:
        limits.ended(run, used_tokens=1)

    assert admitted == {Priority.LOW: 7, Priority.NORMAL: 9, Priority.HIGH: 10}
    assert left == [10]
    low = replace(UNLIMITED, priority=Priority.LOW)
    assert [ask(limits, runs[0], low).refused_by for _ in range(2)] == [None, LimitName.OVERLOAD]
    clock.advance(270)
    assert ask(limits, runs[0], low).admitted


@pytest.mark.guarantee_c
def test_a_run_whose_deadline_moved_keeps_its_place_until_then_and_gives_it_back_once(
    limits: Limits, run: Run, clock: FakeClock
) -> None:
    tier = replace(UNLIMITED, concurrent_runs=1, tokens_per_minute=600)
    limits.admit(run, tier, tokens=100)
    longer = replace(run, deadline=run.deadline + 300)

    limits.prolong(longer)
    limits.prolong(replace(run, id="run_of_nobody"))

    clock.advance(301)
    assert ask(limits, run, tier).refused_by is LimitName.CONCURRENCY
    limits.ended(longer, used_tokens=50)
    assert ask(limits, run, tier).admitted
    clock.advance(600)
    assert ask(limits, run, tier).admitted
