"""The ledgers that the contract is held against: in memory, and in a table of the embedded cloud."""

from typing import TYPE_CHECKING

import pytest

from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.tenant import Tenant
from plinth.ports.money import Ledger
from tests.contract.adapters.conftest import made_table
from tests.contract.adapters.ledger.ledgers import NOON, Asked, asked_by
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rows import FakeLedgerRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture(scope="session")
def ledger_table(dynamodb: "DynamoDBClient") -> Table:
    """Keep the ledger's rows apart: it sweeps those of every tenant."""
    return made_table(dynamodb)


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock) -> Ledger:
    if request.param == "fake":
        return LedgerOverRows(FakeLedgerRows(), clock=clock)
    return LedgerOverRows(DynamoLedgerRows(table=request.getfixturevalue("ledger_table")), clock=clock)


@pytest.fixture
def asked(tenant: Tenant, clock: FakeClock) -> Asked:
    return asked_by(tenant, clock)
