"""Calls that belong to no turn, and the model's breaker: it stops them, learns from each, and from nothing else."""

from collections.abc import Callable

import pytest

from plinth.adapters.dynamo_breakers import FAILURES, OPEN_SECONDS
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.catalogue import model
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.models import Message, Prompt, Role, TimeLimits
from plinth.contracts.runs import Run
from plinth.errors import ModelBreakerOpenError, ModelUnavailableError
from plinth.money.budgets import limited_budgets
from plinth.runtime.side_calls import SideCall, SideReply, ask, request_to
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.models import FakeModel, whole
from tests.unit.steps.conftest import TENANT, ChainServices

MODEL = "claude-haiku-5-5"
BUDGETS = limited_budgets(TENANT, Allowances(tenant=Allowance(day_micro_usd=1_000_000), revision=1), user="", key_id="")
Asking = Callable[..., SideReply]


@pytest.fixture
def asking(services: ChainServices) -> Asking:
    """Ask a model that says yes, or fails."""
    services.ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)

    def once(attempt: int, *, failure: Exception | None = None) -> SideReply:
        services.model = FakeModel(([], failure) if failure else (["yes"], whole()))
        prompt = Prompt(version="v", system="", messages=(Message(role=Role.USER, text="?"),))
        limits = TimeLimits(total_seconds=9, first_seconds=9, stall_seconds=9)
        request = request_to(model(MODEL), prompt, max_output_tokens=9, limits=limits)
        run = Run(id="r", tenant=TENANT, epoch=1, deadline=services.clock.now() + 900)
        call = SideCall(run=run, step="S", chosen=model(MODEL), request=request, attempt=attempt)
        return ask(call, BUDGETS, services)

    return once


def test_failures_open_the_breaker_which_then_stops_calls_that_cost_nothing(
    services: ChainServices, asking: Asking
) -> None:
    for attempt in range(1, FAILURES + 1):
        asking(attempt, failure=ModelUnavailableError("down"))

    with pytest.raises(ModelBreakerOpenError):
        asking(FAILURES + 1)

    assert services.model.requests == []
    (left,) = services.ledger.left(BUDGETS)
    assert (left.day.spent_micro_usd, left.day.held_micro_usd) == (0, 0)


def test_the_call_that_probes_an_open_breaker_tells_it_how_it_went(services: ChainServices, asking: Asking) -> None:
    for _ in range(FAILURES):
        services.breakers.failed(MODEL)
    services.time.advance(OPEN_SECONDS + 1)

    asking(1)

    assert not services.breakers.look(MODEL).failing


def test_a_call_that_is_not_made_because_it_was_started_before_says_nothing_of_the_model(
    services: ChainServices, asking: Asking
) -> None:
    with pytest.raises(MemoryError):
        asking(1, failure=MemoryError())

    assert asking(1).failure

    assert services.model.requests == []
    assert not services.breakers.look(MODEL).failing
