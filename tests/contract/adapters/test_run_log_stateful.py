"""The run log under lost, doubled and late writes, zombie writers and readers at any place: over the fake and DynamoDB.

The machine plays executions of a run, each with an epoch and a process of its own that remembers an old end of the
log, and cuts the wire before or behind a write. What a writer was told must be true, and every reader reads one log.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, Literal
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.contracts.events import Event, LoggedEvent, RunEnded, TextDelta
from plinth.contracts.runs import Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import RunSupersededError, StoreUnavailableError
from plinth.ports.runs import RunLog, Runs
from tests.fakes.clock import FakeClock
from tests.fakes.runs import FakeRunLog, FakeRuns

pytestmark = pytest.mark.guarantee_f
Fault = Literal["none", "lost", "answer lost", "twice"]
FAULTS: tuple[Fault, ...] = ("none", "none", "lost", "answer lost", "twice")
WRITERS = 4
_runs = count(1)


class Wire:
    """DynamoDB's client, whose next write is lost, has its answer lost, or arrives twice."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.fault: Fault = "none"

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._faulty(call) if name in ("put_item", "transact_write_items") else call

    def _faulty(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(**request: Any) -> Any:
            fault, self.fault = self.fault, "none"
            if fault == "lost":
                raise ConnectTimeoutError(endpoint_url="the store")
            if fault in ("answer lost", "twice"):
                call(**request)
            if fault == "answer lost":
                raise ReadTimeoutError(endpoint_url="the store")
            return call(**request)

        return faulty


class FaultyFake:
    """The fake's log with the same faults; a doubled write is one that the store knows again."""

    def __init__(self, log: FakeRunLog) -> None:
        self._log = log
        self.fault: Fault = "none"

    def append(self, run: Run, events: list[Event]) -> int:
        fault, self.fault = self.fault, "none"
        if fault == "lost":
            raise StoreUnavailableError("lost")
        last = self._log.append(run, events)
        if fault == "answer lost":
            raise StoreUnavailableError("the answer was lost")
        return last

    def read(self, tenant: Tenant, run_id: str, *, after: int) -> list[LoggedEvent]:
        return self._log.read(tenant, run_id, after=after)


class World:
    """One store, a log per writer with a wire of its own, and readers."""

    def __init__(self, table: Table | None, client: Any) -> None:
        clock = FakeClock()
        self.runs: Runs
        if table is None:
            fakes = FakeRuns(clock)
            self.runs = fakes
            faulty = [FaultyFake(FakeRunLog(fakes)) for _ in range(WRITERS)]
            self.logs: list[RunLog] = list(faulty)
            self.wires: list[Any] = list(faulty)
            self.reader: RunLog = FakeRunLog(fakes)
        else:
            self.runs = DynamoRuns(table=table, clock=clock)
            self.wires = [Wire(client) for _ in range(WRITERS)]
            self.logs = [DynamoRunLog(table=Table(client=wire, name=table.name), clock=clock) for wire in self.wires]
            self.reader = DynamoRunLog(table=table, clock=clock)
        name = f"run_{next(_runs):026d}"
        self.run = Run(id=name, tenant=Tenant(id=f"t{uuid4().hex[:12]}"), epoch=1, deadline=clock.now() + 270)
        self.runs.accept(self.run, RunRequest(question="?", model="m", user="ann"), None)

    def read(self, after: int = 0) -> list[LoggedEvent]:
        return self.reader.read(self.run.tenant, self.run.id, after=after)


class LogMachine(RuleBasedStateMachine):
    """Writers of two epochs append, end and fail; readers go on from where they were."""

    make: Callable[[], World]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).make()
        self.texts = count(1)
        self.acknowledged: list[tuple[str, ...]] = []
        self.refused: list[tuple[str, ...]] = []
        self.doubtful: list[tuple[str, ...]] = []
        self.readers: list[list[LoggedEvent]] = [[], []]
        self.ended = False

    @initialize()
    def begin(self) -> None:
        self.readers[0] = self.world.read()

    @rule(
        writer=st.integers(0, WRITERS - 1),
        epoch=st.sampled_from([1, 1, 2]),
        size=st.integers(1, 3),
        fault=st.sampled_from(FAULTS),
    )
    def append(self, writer: int, epoch: int, size: int, fault: Fault) -> None:
        texts = tuple(f"text {next(self.texts)}" for _ in range(size))
        self._append(writer, epoch, [TextDelta(text=text, attempt=1, offset=0) for text in texts], texts, fault)

    @precondition(lambda self: not self.ended)
    @rule(writer=st.integers(0, WRITERS - 1), fault=st.sampled_from(FAULTS))
    def end(self, writer: int, fault: Fault) -> None:
        """End the run by its owner, which is the execution of epoch 1."""
        text = f"text {next(self.texts)}"
        delta = TextDelta(text=text, attempt=1, offset=0)
        self._append(writer, 1, [delta, RunEnded(status=RunStatus.DONE)], (text,), fault)
        self.ended = any(isinstance(each.event, RunEnded) for each in self.world.read())

    def _append(self, writer: int, epoch: int, events: list[Event], texts: tuple[str, ...], fault: Fault) -> None:
        self.world.wires[writer].fault = fault
        try:
            last = self.world.logs[writer].append(replace(self.world.run, epoch=epoch), events)
        except RunSupersededError:
            # a write whose answer was lost can be in the log although a later look found it superseded
            (self.doubtful if fault == "answer lost" else self.refused).append(texts)
        except StoreUnavailableError:
            (self.refused if fault == "lost" else self.doubtful).append(texts)
        else:
            self.acknowledged.append(texts)
            assert self.world.read()[last - 1].event == events[-1]
        self.world.wires[writer].fault = "none"

    @rule(reader=st.integers(0, 1))
    def go_on_reading(self, reader: int) -> None:
        seen = self.readers[reader]
        seen += self.world.read(after=seen[-1].seq if seen else 0)

    @rule(reader=st.integers(0, 1), kept=st.integers(0, 20))
    def crash_and_come_back(self, reader: int, kept: int) -> None:
        """Let a reader lose what it had not yet kept, and ask for it again."""
        del self.readers[reader][kept:]
        self.go_on_reading(reader)

    @invariant()
    def the_log_has_no_gap_and_its_epochs_never_go_back(self) -> None:
        logged = self.world.read()
        assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
        epochs = [each.epoch for each in logged]
        assert epochs == sorted(epochs)

    @invariant()
    def what_was_acknowledged_is_there_once_and_whole_and_what_was_refused_never(self) -> None:
        texts = [each.event.text for each in self.world.read() if isinstance(each.event, TextDelta)]
        assert len(set(texts)) == len(texts)
        for batch in self.acknowledged:
            start = texts.index(batch[0])
            assert tuple(texts[start : start + len(batch)]) == batch
        for batch in self.doubtful:
            assert [text in texts for text in batch] == [batch[0] in texts] * len(batch)
        assert not {text for batch in self.refused for text in batch} & set(texts)

    @invariant()
    def nothing_follows_the_end(self) -> None:
        ends = [isinstance(each.event, RunEnded) for each in self.world.read()]
        assert True not in ends[:-1]

    @invariant()
    def every_reader_has_read_the_beginning_of_one_and_the_same_log(self) -> None:
        logged = self.world.read()
        for seen in self.readers:
            assert seen == logged[: len(seen)]


def play(make: Callable[[], World], *, examples: int, steps: int) -> None:
    machine = type("Playing", (LogMachine,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_fakes_log_stays_one_gapless_fenced_log() -> None:
    play(lambda: World(None, None), examples=60, steps=30)


def test_the_log_in_dynamodb_stays_one_gapless_fenced_log(table: Table, dynamodb: Any) -> None:
    play(lambda: World(table, dynamodb), examples=12, steps=20)


@pytest.mark.long
def test_the_log_in_dynamodb_stays_one_gapless_fenced_log_for_long(table: Table, dynamodb: Any) -> None:
    play(lambda: World(table, dynamodb), examples=150, steps=40)
