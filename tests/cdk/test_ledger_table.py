"""The ledger's table against the code that uses it."""

from plinth.adapters.dynamo_ledger_rows import OPEN
from tests.cdk.conftest import Synthesized


def test_the_sweep_finds_the_index_that_it_asks_for(synthesized: Synthesized) -> None:
    tables = synthesized("prod").resources("AWS::DynamoDB::Table")
    (ledger,) = (table for name, table in tables.items() if name.partition("/")[2].startswith("Ledger"))
    (index,) = ledger["Properties"]["GlobalSecondaryIndexes"]

    assert index["IndexName"] == OPEN.name
    assert [key["AttributeName"] for key in index["KeySchema"]] == [OPEN.partition, OPEN.sort]
