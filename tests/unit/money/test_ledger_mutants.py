"""Tests of the ledger's tests: each wrong ledger is caught by the rules of its contract or by the exhaustive checks."""

from collections.abc import Callable, Iterator
from inspect import signature
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from plinth.adapters import ledger_over_rows
from plinth.contracts.tenant import Tenant
from plinth.money import budget_rows, ledger
from tests.contract.adapters.ledger import test_calls, test_windows
from tests.contract.adapters.ledger.ledgers import NOON, asked_by
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.unit.money.ledger_checks import (
    a_part_follows_its_whole,
    a_part_tells_what_it_spent,
    all_is_called_in,
    crash_matrix,
    interleavings,
    without_a_budget,
    yesterday_stays_with_yesterday,
)
from tests.unit.money.ledger_mutants import MUTANTS, Mutant, mutated

pytestmark = pytest.mark.guarantee_b

RULES: list[Callable[..., None]] = [
    rule for module in (test_calls, test_windows) for name, rule in vars(module).items() if name.startswith("test_")
]


def followed(rule: Callable[..., None], rows: ModuleType, protocols: ModuleType) -> None:
    """Hold one rule of the contract against a ledger in memory."""
    clock, tenant = FakeClock(NOON), Tenant(id="acme")
    given: dict[str, Any] = {
        "ledger": ledger_over_rows.LedgerOverRows(FakeLedgerRows(), clock=clock),
        "tenant": tenant,
        "other_tenant": Tenant(id="other"),
        "clock": clock,
        "asked": asked_by(tenant, clock),
    }
    with patch.object(ledger_over_rows, "ledger", protocols), patch.object(ledger_over_rows, "budget_rows", rows):
        rule(**{name: given[name] for name in signature(rule).parameters})


def checks(rows: ModuleType, protocols: ModuleType) -> Iterator[Callable[[], object]]:
    """Yield every check, the quick ones first."""
    yield from (lambda rule=rule: followed(rule, rows, protocols) for rule in RULES)
    for check in (
        without_a_budget,
        all_is_called_in,
        a_part_follows_its_whole,
        a_part_tells_what_it_spent,
        yesterday_stays_with_yesterday,
    ):
        yield lambda check=check: check(protocols)
    yield lambda: crash_matrix(protocols)
    yield lambda: interleavings(protocols)


def is_caught(mutant: Mutant) -> bool:
    """Return whether any check fails, however it does."""
    for check in checks(*mutated(mutant)):
        try:
            check()
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a wrong ledger may fail in any way
            return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_wrong_ledger_is_caught(mutant: Mutant) -> None:
    assert is_caught(mutant)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_ledger_itself_is_not(rule: Callable[..., None]) -> None:
    followed(rule, budget_rows, ledger)
