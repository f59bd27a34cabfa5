"""SweepBudgets: what was set aside and never started comes back, what was started is charged, failures are loud."""

from typing import Any

import pytest

from functions.sweep_budgets import handler as sweep_budgets
from functions.sweep_budgets.handler import handler
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.money import Reservation, Swept
from plinth.contracts.runs import Run, RunRequest
from plinth.errors import StoreUnavailableError
from plinth.money.budgets import budgets_of
from plinth.money.ledger import reservation_key
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.unit.steps.conftest import TENANT

pytestmark = pytest.mark.guarantee_b

ASKED = RunRequest(
    question="Is it?", model="any", user="ann", budgets=Allowances(tenant=Allowance(day_micro_usd=1000), revision=1)
)
BUDGETS = budgets_of(TENANT, ASKED)


class SweptServices:
    """The two services that a sweep needs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.rows = FakeLedgerRows()
        self.ledger = LedgerOverRows(self.rows, clock=self.clock)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> SweptServices:
    made = SweptServices()
    monkeypatch.setattr(sweep_budgets, "_services", made)
    return made


def set_aside(services: SweptServices, attempt: int) -> Reservation:
    run = Run(id="run_1", tenant=TENANT, epoch=1, deadline=services.clock.now() + 270)
    call = Reservation(run=run, attempt=attempt, amount_micro_usd=100, model="any", price="{}")
    return services.ledger.reserve(call, BUDGETS)


def test_a_lapsed_call_is_given_back_or_charged_by_whether_it_was_started(services: SweptServices) -> None:
    set_aside(services, 1)
    assert services.ledger.start(set_aside(services, 2))

    assert handler({}, None) == {"refunded": 0, "charged": 0}
    services.clock.advance(3600)
    assert handler({}, None) == {"refunded": 1, "charged": 1}

    [left] = services.ledger.left(BUDGETS)
    assert (left.day.spent_micro_usd, left.day.held_micro_usd) == (100, 0)


@pytest.mark.parametrize("damage", [{"state": "of a later version"}, {"scopes": ["a later kind#0#x"]}])
def test_a_reservation_that_can_not_be_read_stops_no_other_and_is_put_off(
    services: SweptServices, damage: dict[str, Any]
) -> None:
    bad = set_aside(services, 1)
    set_aside(services, 2)
    services.rows.rows[reservation_key(bad)] |= damage
    services.clock.advance(3600)

    with pytest.raises(StoreUnavailableError, match="1 reservations"):
        handler({}, None)

    [left] = services.ledger.left(BUDGETS)
    assert left.day.held_micro_usd == 100
    assert handler({}, None) == {"refunded": 0, "charged": 0}
    services.clock.advance(300)
    with pytest.raises(StoreUnavailableError, match="1 reservations"):
        handler({}, None)


def test_a_sweep_that_leaves_something_over_fails_so_that_the_alarm_hears_of_it(
    services: SweptServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.ledger, "sweep", lambda *, limit: Swept(refunded=limit, charged=0, failed=2))

    with pytest.raises(StoreUnavailableError, match="2 reservations"):
        handler({}, None)
