"""A world in which whole runs are carried out on a clock of their own: executions die, are doubled, and are swept."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.events import LoggedEvent
from plinth.contracts.models import ModelEnd, ModelRequest, StopReason, StreamItem, TextChunk, ToolCall, Usage
from plinth.contracts.runs import Run, RunRecord, RunRequest
from plinth.errors import ModelSilentError
from plinth.money.budgets import budgets_of
from plinth.runtime.lost_runs import look_after
from tests.fakes.answer_machine import AnswerMachine, TimedOutError
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.objects import FakeMachines
from tests.unit.steps.conftest import TENANT, ChainServices

SWEEP_SECONDS = 60.0
MODEL = "claude-haiku-5-5"
SUM = ToolCall(id="call_1", name="calculate", arguments='{"expression": "6 * 7"}')
FACT = ToolCall(id="call_1", name="remember", arguments='{"fact": "Ann drinks tea."}')
LAST_WORDS = ("All of them ", "are counted.")
Kill = Callable[[str, int], bool]
"""Whether an execution dies at this moment of this epoch. The start of a successor is two moments of the old one."""


class KilledError(BaseException):
    """The process died in the middle of a step."""


def nobody(_moment: str, _epoch: int) -> bool:
    return False


def once(moment: str, *, epoch: int) -> Kill:
    """Kill the first execution that comes there."""
    left = [True]

    def kill(at: str, of: int) -> bool:
        return (at, of) == (moment, epoch) and bool(left) and left.pop()

    return kill


@dataclass
class CountingModel:
    """A model that takes its time, asks for a tool in each turn but the last one, and then says how it ended."""

    clock: FakeClock
    turns: int
    seconds: float
    asks: Sequence[ToolCall] = (SUM,)
    requests: list[ModelRequest] = field(default_factory=list)

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        self.requests.append(request)
        turn = 1 + sum(bool(message.tool_results) for message in request.prompt.messages)
        last = turn >= self.turns
        if request.limits.total_seconds < self.seconds:
            self.clock.advance(request.limits.total_seconds)
            raise ModelSilentError("the model had not finished when the time for the call was up")
        for word in LAST_WORDS if last else (f"Counting {turn}, ", "once more."):
            self.clock.advance(self.seconds / 2)
            assert not request.limits.cancelled()
            yield TextChunk(text=word)
        usage, asked = Usage(input_tokens=100, output_tokens=20), self.asks[(turn - 1) % len(self.asks)]
        calls = () if last else (asked,)
        yield ModelEnd(stop_reason=StopReason.END if last else StopReason.TOOL_USE, usage=usage, tool_calls=calls)


class Starts(FakeMachines):
    """Each start is as many executions as `copies` says; some kill who makes them."""

    def __init__(self, world: "World", *, copies: int) -> None:
        super().__init__()
        self.world, self.copies = world, copies

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        super().start_answer(run, again=again, machine=machine)
        self._die("before start", run)
        self.world.waiting.extend([run] * self.copies)
        self._die("after start", run)

    def _die(self, moment: str, run: Run) -> None:
        if self.world.kill(moment, run.epoch - 1):
            raise KilledError


@dataclass
class World:
    """One run, its executions, and a sweep each minute."""

    services: ChainServices
    turns: int = 10
    seconds: float = 72.0
    kill: Kill = nobody
    copies: int = 2
    waiting: deque[Run] = field(default_factory=deque)
    moments: list[tuple[str, int]] = field(default_factory=list)
    person: Callable[["World"], None] = lambda _: None

    def __post_init__(self) -> None:
        self.clock = self.services.time
        self.services.ledger = self.ledger = LedgerOverRows(FakeLedgerRows(), clock=self.clock)
        self.services.model = self.model = CountingModel(self.clock, self.turns, self.seconds)
        self.services.machines = Starts(self, copies=self.copies)
        self.machine = AnswerMachine(self.services, self.clock)

    def accept(self, *, seconds: float = 1800) -> Run:
        budgets = Allowances(tenant=Allowance(day_micro_usd=10_000_000), revision=1)
        asked = RunRequest(
            question="How many?",
            model=MODEL,
            user="ann",
            tools=("calculate", "remember"),
            max_turns=self.turns,
            budgets=budgets,
        )
        run = Run(id="run_1", tenant=TENANT, epoch=1, deadline=self.clock.now() + seconds)
        self.services.runs.accept(run, asked, None)
        self.waiting.extend([run] * self.copies)
        return run

    def carry_out(self) -> RunRecord:
        """Let everything happen that will, and return the run as it then stands."""
        while not (row := self.stored()).status.final and self.clock.now() < row.deadline + 180:
            while self.waiting:
                self.execute(self.waiting.popleft())
                self.person(self)
            self.clock.advance(SWEEP_SECONDS)
            self.sweep()
        self.ledger.sweep(limit=100)
        return self.services.runs.get(TENANT, "run_1")

    def execute(self, run: Run) -> None:
        """Carry one execution out until it ends or dies."""
        execution = self.machine.execution(run)
        try:
            for moment in execution:
                self.moments.append((moment, run.epoch))
                if self.kill(moment, run.epoch):
                    break
        except (KilledError, TimedOutError):
            pass
        finally:
            execution.close()

    def sweep(self) -> None:
        for found in self.services.executions.overdue(limit=100):
            try:
                look_after(found, self.services)
            except KilledError:
                continue

    def stored(self) -> RunRecord:
        """Return the row as it is stored: a read tells a lost run as failed."""
        record: RunRecord = self.services.runs.rows[TENANT, "run_1"].record
        return record

    def log(self) -> list[LoggedEvent]:
        return self.services.run_log.read(TENANT, "run_1", after=0)

    def spent(self) -> tuple[int, int]:
        """Return what the ledger says was spent, and what it still holds, once all time is over."""
        self.clock.advance(3600)
        self.ledger.sweep(limit=100)
        (left,) = self.ledger.left(budgets_of(TENANT, self.stored().request))
        return left.day.spent_micro_usd, left.day.held_micro_usd
