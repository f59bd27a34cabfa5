"""Erasing, step by step over fakes: pass after pass, until a whole one finds nothing; then a signed receipt."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.erase_index.handler import erase_index
from functions.erase_objects.handler import erase_objects
from functions.erase_rows.handler import erase_rows
from functions.fail_erasure.handler import fail_erasure
from functions.sign_receipt.handler import sign_receipt
from plinth.contracts.erasing import ErasedPage, Erasure, ErasureState, Extent, Target
from plinth.memory.erasures import REST_SECONDS
from plinth.runtime.erasures import PAGES, begin_erasure
from tests.fakes.erasing import FakeErasures, FakeFailedErasures, FakeSigner
from tests.fakes.objects import FakeMachines
from tests.fakes.tenants import FakeTenants
from tests.unit.access.world import TIER, FixedSettings
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]


class ScriptedStore:
    """`ErasableStore` that gives the pages of a script, and empty ones after it."""

    def __init__(self, name: str, *pages: ErasedPage) -> None:
        self.name = name
        self.pages = list(pages)
        self.asked: list[str | None] = []

    def erase(self, target: Target, after: str | None) -> ErasedPage:
        assert target.tenant == TENANT
        self.asked.append(after)
        return self.pages.pop(0) if self.pages else ErasedPage()


@pytest.fixture
def erasing(services: ChainServices) -> ChainServices:
    tenants = FakeTenants()
    tenants.tiers[TENANT] = TIER
    services.settings = FixedSettings()
    services.tenants = tenants
    services.machines = FakeMachines()
    services.erasing.erasures = FakeErasures(tenants)
    services.erasing.signer = FakeSigner()
    services.erasing.failed = FakeFailedErasures()
    services.erasing.objects = services.erasing.index = ()
    services.erasing.rows = (ScriptedStore("answers"),)
    return services


def begun(services: ChainServices) -> Erasure:
    return begin_erasure(Target(extent=Extent.USER, tenant=TENANT, name="ada"), services)


def one_pass(call: Call, erasure: Erasure) -> dict[str, Any]:
    """Go through the machine's states once."""
    for step in (erase_objects, erase_index, erase_rows):
        while not call(step, erasure_id=erasure.id)["done"]:
            pass
    return call(sign_receipt, erasure_id=erasure.id)


@pytest.mark.guarantee_d
def test_a_receipt_is_signed_only_after_a_pass_that_found_nothing(erasing: ChainServices, call: Call) -> None:
    erasing.erasing.rows = (ScriptedStore("runs", ErasedPage(removed=3)), ScriptedStore("answers"))
    erasure = begun(erasing)
    erasing.time.advance(400)

    assert one_pass(call, erasure) == {"signed": False, "wait_seconds": 0}
    assert one_pass(call, erasure) == {"signed": True, "wait_seconds": 0}

    ended = erasing.erasing.erasures.get(erasure.id)
    assert ended.receipt
    receipt = json.loads(ended.receipt.document)
    assert (ended.state, receipt["removed"], receipt["passes"]) == (ErasureState.DONE, {"runs": 3}, 2)
    assert receipt["subject_sha256"] == hashlib.sha256(b"user:acme/ada").hexdigest()
    assert {"runs", "logs"} <= {each["store"] for each in receipt["expires"]}


@pytest.mark.guarantee_d
def test_the_last_pass_begins_when_nothing_from_before_can_be_written_any_more(
    erasing: ChainServices, call: Call
) -> None:
    erasure = begun(erasing)

    early = one_pass(call, erasure)
    erasing.time.advance(early["wait_seconds"])

    assert early["signed"] is False
    assert early["wait_seconds"] >= FixedSettings.erase_settle_seconds
    assert one_pass(call, erasure)["signed"] is True


@pytest.mark.guarantee_d
def test_what_must_wait_for_something_to_end_is_come_back_for(erasing: ChainServices, call: Call) -> None:
    erasing.erasing.rows = (ScriptedStore("runs", ErasedPage(left=1), ErasedPage(removed=2)),)
    erasure = begun(erasing)
    erasing.time.advance(400)

    assert one_pass(call, erasure) == {"signed": False, "wait_seconds": REST_SECONDS}
    assert one_pass(call, erasure)["signed"] is False
    assert one_pass(call, erasure)["signed"] is True


@pytest.mark.guarantee_d
def test_a_step_stops_after_some_pages_and_goes_on_behind_the_last(erasing: ChainServices, call: Call) -> None:
    store = ScriptedStore("runs", *(ErasedPage(removed=1, after=str(number)) for number in range(PAGES + 3)))
    erasing.erasing.rows = (store,)
    erasure = begun(erasing)

    assert call(erase_rows, erasure_id=erasure.id) == {"done": False}
    assert call(erase_rows, erasure_id=erasure.id) == {"done": True}
    assert store.asked == [None, *(str(number) for number in range(PAGES + 3))]
    assert call(erase_rows, erasure_id=erasure.id) == {"done": True}  # a repeated call has nothing to do
    assert len(store.asked) == PAGES + 4


@pytest.mark.guarantee_d
def test_an_ended_erasure_names_nobody_and_shows_the_user_again(erasing: ChainServices, call: Call) -> None:
    erasure = begun(erasing)
    assert erasing.tenants.standing(TENANT).erasing_users == ("ada",)
    erasing.time.advance(400)

    one_pass(call, erasure)
    ended = erasing.erasing.erasures.get(erasure.id)

    assert erasing.tenants.standing(TENANT).erasing_users == ()
    assert "ada" not in (ended.target.name, ended.target.object_name)
    assert call(sign_receipt, erasure_id=erasure.id)["signed"] is True  # repeated after its answer was lost


def test_an_erasure_that_fails_keeps_its_place_and_somebody_is_told(erasing: ChainServices, call: Call) -> None:
    failed = erasing.erasing.failed = FakeFailedErasures()
    erasing.erasing.rows = (ScriptedStore("runs", ErasedPage(removed=1)), ScriptedStore("answers"))
    erasure = begun(erasing)
    call(erase_rows, erasure_id=erasure.id)

    assert call(fail_erasure, erasure_id=erasure.id, error="PlinthError") == {"state": "failed"}
    assert failed.told == [(erasure.id, "PlinthError")]
    assert erasing.tenants.standing(TENANT).erasing_users == ("ada",)
    assert erasing.erasing.erasures.get(erasure.id).removed == {"runs": 1}
