"""What an operator's commands make of the reindex's row, as the functions write it."""

from dataclasses import replace
from typing import Any

import pytest

from client.errors import UsageError
from client.reindexing import Reindexing, told
from plinth.adapters.dynamo_indexes import DynamoIndexes
from plinth.contracts.reindexing import Reindex, ReindexState
from plinth.errors import StoreUnavailableError
from tests.contract.adapters.conftest import made_table


class Machines:
    """Step Functions as the commands use it: remembers what was started."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.busy = False

    def list_executions(self, **_: object) -> dict[str, list[str]]:
        return {"executions": ["one"] if self.busy else []}

    def start_execution(self, **given: str) -> None:
        self.started.append(given["input"])


BEGUN = Reindex(
    id="r1",
    number=1,
    state=ReindexState.FILLING,
    source="passages-m3",
    target="passages-m4-1",
    reread=True,
    started_at=1.5,
    changed_at=2,
    leaving=("passages-m3",),
    round=2,
    left=30,
    documents=120,
)


@pytest.fixture
def world(dynamodb: Any) -> tuple[Reindexing, DynamoIndexes, Machines]:
    table, machines = made_table(dynamodb), Machines()
    stub: Any = machines
    operator = Reindexing(dynamodb, stub, table=table.name, machine="arn")
    return operator, DynamoIndexes(table=table, first_index="passages-m3"), machines


def test_the_row_is_read_as_it_was_written_and_told_in_a_sentence(
    world: tuple[Reindexing, DynamoIndexes, Machines],
) -> None:
    operator, indexes, _ = world
    assert operator.current() is None
    saved = indexes.save(BEGUN)

    assert operator.current() == saved
    assert "lacks 30 of 120 documents" in told(saved, is_running=True)
    assert "plinth reindex start" in told(saved, is_running=False)


def test_one_reindex_runs_at_a_time_and_one_that_stopped_is_taken_up_with_its_own_choice(
    world: tuple[Reindexing, DynamoIndexes, Machines],
) -> None:
    operator, indexes, machines = world
    indexes.save(BEGUN)

    assert operator.start(reread=False) == "r1"
    assert machines.started == ['{"reindex_id":"r1","reread":true}']
    machines.busy = True
    with pytest.raises(UsageError, match="goes on"):
        operator.start(reread=False)


def test_a_cancellation_is_heard_by_who_works_on_it_and_wakes_one_that_stopped(
    world: tuple[Reindexing, DynamoIndexes, Machines],
) -> None:
    operator, indexes, machines = world
    with pytest.raises(UsageError, match="no reindex"):
        operator.cancel()
    saved = indexes.save(BEGUN)

    operator.cancel()

    with pytest.raises(StoreUnavailableError):
        indexes.save(replace(saved, state=ReindexState.SWITCHED))
    found = indexes.reindex()
    assert found is not None
    assert found.state is ReindexState.CANCELLING
    assert len(machines.started) == 1
    indexes.save(replace(found, state=ReindexState.RELEASED))
    with pytest.raises(UsageError, match="goes already"):
        operator.cancel()
