"""Budgets on the deployed stack: a call's bill is in the books, what is used up refuses, a lost call is swept."""

import time
from pathlib import Path
from uuid import uuid4

import pytest

from client.api import Question
from client.tenants import TenantsTable
from client.tenants_file import read_tenants
from local.supervision import wait_until
from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
from plinth.adapters.dynamo_tenants import DynamoTenants
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.money import Budget, Reservation
from plinth.contracts.runs import Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.money.budgets import budgets_of
from tests.fakes.clock import FakeClock
from tests.integration.conftest import TENANTS, Deployed

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_b]

PAID = "claude-haiku-5-5"
FRUGAL = Tenant(id="frugal")
SWEPT_WITHIN_SECONDS = 100.0


class Books:
    """The deployed ledger, seen from inside: its rows, the budgets of the tenant's tier, and a clock of our own."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._clock = FakeClock(time.time())
        self.ledger = LedgerOverRows(DynamoLedgerRows(table=self._table("LedgerTable")), clock=self._clock)

    def _table(self, name: str) -> Table:
        return Table(client=self._deployed.aws("dynamodb"), name=self._deployed.info.outputs[name])

    @property
    def budgets(self) -> tuple[Budget, ...]:
        tier = DynamoTenants(table=self._table("TenantsTable")).standing(FRUGAL).tier
        return budgets_of(FRUGAL, RunRequest(question="?", model=PAID, user="fay", budgets=tier.budgets))

    def spent(self) -> list[tuple[int, int]]:
        """Return what is spent and held of each budget's day."""
        return [(each.day.spent_micro_usd, each.day.held_micro_usd) for each in self.ledger.left(self.budgets)]

    def started(self, amount_micro_usd: int, *, at: float) -> Reservation:
        """Return a call that was started at this time."""
        self._clock.advance(at - self._clock.now())
        run = Run(id=f"run_{uuid4().hex}", tenant=FRUGAL, epoch=1, deadline=at + 270)
        call = Reservation(run=run, attempt=1, amount_micro_usd=amount_micro_usd, model=PAID, price="{}")
        held = self.ledger.reserve(call, self.budgets)
        assert self.ledger.start(held)
        return held


@pytest.fixture
def books(deployed: Deployed) -> Books:
    return Books(deployed)


def test_a_run_is_in_every_book_at_its_bill(deployed: Deployed, books: Books) -> None:
    before = books.spent()
    with deployed.api("frugal") as api:
        run = api.create_run(Question(question=f"Is it? [[script:ok:{uuid4().hex}]]", model=PAID))
        list(api.events(run.id))
        receipt = api.get_run(run.id).receipt

    assert receipt is not None
    assert receipt.model_cost_micro_usd > 0
    assert books.spent() == [(spent + receipt.model_cost_micro_usd, held) for spent, held in before]


def test_what_is_used_up_is_refused_until_the_tier_allows_more(
    deployed: Deployed, books: Books, tmp_path: Path
) -> None:
    left = min(each.day.left_micro_usd or 0 for each in books.ledger.left(books.budgets))
    books.ledger.settle(books.started(left - 1, at=time.time()), cost_micro_usd=left - 1)
    body = {"question": f"Is it? [[script:ok:{uuid4().hex}]]", "model": PAID}

    with deployed.http("frugal") as http:
        refused = http.post("/v1/runs", json=body)
        apply(deployed, tmp_path, TENANTS.replace("day_usd = 0.5", "day_usd = 1.5"))
        accepted = http.post("/v1/runs", json=body, headers={"prefer": "wait=20"})

    assert refused.status_code == 402
    assert refused.json()["budget"] == "day budget of user fay"
    assert refused.json()["left_micro_usd"] == 1
    assert refused.json()["resets_at"] > time.time()
    assert (accepted.status_code, accepted.json()["status"]) == (200, "done")


def apply(deployed: Deployed, folder: Path, tenants: str) -> None:
    file = folder / "tenants.toml"
    file.write_text(tenants)
    table = TenantsTable(deployed.aws("dynamodb"), table=deployed.info.outputs["TenantsTable"], environment="local")
    remade = {made.tenant for made in table.apply(read_tenants(file))}
    assert remade <= {"perishable", "passing"}, "only tenants that another test erases may get new keys"


def test_a_call_that_nobody_ended_is_charged_by_the_sweep_that_runs_each_minute(books: Books) -> None:
    before = books.spent()
    books.started(1000, at=time.time() - 400)
    assert books.spent() == [(spent, held + 1000) for spent, held in before]

    swept = [(spent + 1000, held) for spent, held in before]
    assert wait_until(lambda: books.spent() == swept, timeout_seconds=SWEPT_WITHIN_SECONDS)
