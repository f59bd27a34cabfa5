"""The tables that are swept against the code that sweeps them."""

import pytest

from plinth.adapters.open_rows import OPEN
from tests.cdk.conftest import Synthesized


@pytest.mark.parametrize("name", ["Ledger", "Runs"])
def test_a_sweep_finds_the_index_that_it_asks_for(synthesized: Synthesized, name: str) -> None:
    tables = synthesized("prod").resources("AWS::DynamoDB::Table")
    (swept,) = (table for path, table in tables.items() if path.partition("/")[2].startswith(name))
    (index,) = swept["Properties"]["GlobalSecondaryIndexes"]

    assert index["IndexName"] == OPEN.name
    assert [key["AttributeName"] for key in index["KeySchema"]] == [OPEN.partition, OPEN.sort]
