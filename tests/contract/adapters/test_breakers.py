"""The contract of `Breakers`, held by the fake and by DynamoDB."""

from uuid import uuid4

import pytest

from plinth.adapters.dynamo_breakers import FAILURES, OPEN_SECONDS, WINDOW_SECONDS, DynamoBreakers
from plinth.contracts.models import Breaker
from plinth.ports.models import Breakers
from tests.contract.adapters.conftest import at_once
from tests.fakes.breakers import FakeBreakers
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.guarantee_f


@pytest.fixture(params=["fake", "dynamodb"])
def breakers(request: pytest.FixtureRequest, clock: FakeClock) -> Breakers:
    if request.param == "fake":
        return FakeBreakers(clock)
    return DynamoBreakers(table=request.getfixturevalue("table"), clock=clock)


@pytest.fixture
def model() -> str:
    return f"model-{uuid4().hex}"


def fail(breakers: Breakers, model: str, times: int) -> None:
    for _ in range(times):
        breakers.failed(model)


def test_a_model_that_never_failed_may_be_asked(breakers: Breakers, model: str) -> None:
    assert breakers.look(model) == Breaker(failing=False)


def test_the_last_allowed_failure_opens_the_breaker_for_a_time(
    breakers: Breakers, model: str, clock: FakeClock
) -> None:
    fail(breakers, model, FAILURES - 1)
    before = breakers.look(model)
    fail(breakers, model, 1)

    assert before == Breaker(failing=True)
    assert breakers.look(model) == Breaker(failing=True, open_until=clock.now() + OPEN_SECONDS)
    assert breakers.look("another") == Breaker(failing=False)


def test_after_the_time_one_call_probes_and_the_others_still_wait(
    breakers: Breakers, model: str, clock: FakeClock
) -> None:
    fail(breakers, model, FAILURES)
    clock.advance(OPEN_SECONDS)

    looks = at_once([lambda: breakers.look(model)] * 8)

    assert sorted(each.open_until is None for each in looks) == [False] * 7 + [True]


def test_a_success_closes_it_for_everyone(breakers: Breakers, model: str, clock: FakeClock) -> None:
    fail(breakers, model, FAILURES)
    clock.advance(OPEN_SECONDS)
    breakers.look(model)
    breakers.succeeded(model)

    assert breakers.look(model) == Breaker(failing=False)
    fail(breakers, model, 1)
    assert breakers.look(model).open_until is None


def test_a_failed_probe_opens_it_again(breakers: Breakers, model: str, clock: FakeClock) -> None:
    fail(breakers, model, FAILURES)
    clock.advance(OPEN_SECONDS)
    breakers.look(model)
    breakers.failed(model)

    assert breakers.look(model).open_until == clock.now() + OPEN_SECONDS


def test_rare_failures_never_open_it(breakers: Breakers, model: str, clock: FakeClock) -> None:
    for _ in range(3 * FAILURES):
        breakers.failed(model)
        clock.advance(WINDOW_SECONDS + 1)

    assert breakers.look(model).open_until is None


def test_failures_that_come_at_once_are_all_counted(breakers: Breakers, model: str) -> None:
    at_once([lambda: breakers.failed(model)] * FAILURES)

    assert breakers.look(model).open_until is not None
