"""ExportUsage: the month before, or the one that is named, of every tenant, as one file."""

import pytest

from functions.export_usage import handler as export_usage
from functions.export_usage.handler import handler
from plinth.contracts.events import ReceiptMade, RunEnded
from plinth.contracts.runs import Receipt, Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.wiring import Services
from tests.fakes.clock import FakeClock
from tests.fakes.objects import FakeExports
from tests.fakes.runs import FakeRunLog, FakeRuns
from tests.fakes.tenants import FakeTenants
from tests.fakes.usage import FakeUsage
from tests.unit.access.world import TIER

OCTOBER_31, NOVEMBER_2 = 1793491199.0, 1793588400.0  # 2026, the first at 23:59:59 UTC
ACME = Tenant(id="acme")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(OCTOBER_31)


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> FakeExports:
    services, runs = Services(), FakeRuns(clock)
    services.clock, services.usage, services.exports = clock, FakeUsage(runs), (exports := FakeExports())
    services.tenant_list = tenants = FakeTenants()
    tenants.tiers[ACME] = TIER
    monkeypatch.setattr(export_usage, "_services", services)
    for number, at in enumerate((OCTOBER_31, NOVEMBER_2)):
        clock.advance(at - clock.now())
        run = Run(id=f"run_{number}", tenant=ACME, epoch=1, deadline=at + 270)
        runs.accept(run, RunRequest(question="?", model="m", user="ann"), None)
        receipt = Receipt(model_calls=(), model_cost_micro_usd=0)
        FakeRunLog(runs).append(run, [ReceiptMade(receipt=receipt), RunEnded(status=RunStatus.DONE)])
    return exports


def test_the_month_before_is_exported(exports: FakeExports) -> None:
    assert handler({"source": "aws.events"}, None) == {"key": "usage/2026-10.csv", "tenants": 1}

    head, line = exports.files["usage/2026-10.csv"].decode().splitlines()
    assert head.startswith("tenant,day,user,kind,name,runs,")
    assert line.startswith("acme,2026-10-31,ann,user,ann,1,")


def test_a_named_month_is_exported_again(exports: FakeExports) -> None:
    handler({"month": "2026-11"}, None)

    assert "acme,2026-11-02,ann" in exports.files["usage/2026-11.csv"].decode()


@pytest.mark.parametrize("month", ["2026-13", "26-1", "../x"])
def test_what_is_no_month_is_refused(exports: FakeExports, month: str) -> None:
    with pytest.raises(ValueError, match="month"):
        handler({"month": month}, None)
    assert exports.files == {}
