"""Rules by which a conversation grows, is summed up, forgets and expires, judged after every step.

Each turn says one word of its own, and the model's summary is the words that it was shown: so it can be counted how
often anything is told.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plinth.contracts.events import ReceiptMade, RunEnded
from plinth.contracts.models import ModelEnd, ModelRequest, StopReason, StreamItem, TextChunk, Usage
from plinth.contracts.runs import Receipt, Run, RunRequest, RunStatus, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import ModelBusyError
from plinth.runtime.remembering import memory_of
from plinth.runtime.summaries import summarize
from plinth.wiring import Services
from tests.fakes.breakers import FakeBreakers
from tests.fakes.clock import FakeClock
from tests.fakes.conversations import FakeConversations
from tests.fakes.runs import FakeRunLog, FakeRuns

TENANT = Tenant(id="acme")
ASKED = RunRequest(
    question="?", model="claude-haiku-5-5", user="ann", conversation_id="talk", summary_model="claude-haiku-5-5"
)
KEPT_SECONDS = 1000
which = st.integers(min_value=0, max_value=1000)
_WORD = re.compile(r"\bw\d+\b")


class Echo:
    """A model whose summary is every word that it was shown; something else may happen while it is asked."""

    def __init__(self) -> None:
        self.meanwhile: list[Callable[[], object]] = []
        self.fails = False

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        said = " ".join(_WORD.findall(request.prompt.messages[0].text))
        if self.meanwhile:
            self.meanwhile.pop()()
        if self.fails:
            raise ModelBusyError("busy")
        yield TextChunk(text=said)
        yield ModelEnd(stop_reason=StopReason.END, usage=Usage(input_tokens=1, output_tokens=1))


class World(Services):
    """The services of a conversation, whose model is always the same."""

    def __init__(self, conversations: FakeConversations, clock: FakeClock) -> None:
        super().__init__()
        self.clock, self.conversations, self.model = clock, conversations, Echo()
        self.runs, self.breakers = FakeRuns(clock), FakeBreakers(clock)
        self.run_log = FakeRunLog(self.runs)

    def language_model(self, provider: str) -> Echo:
        return self.model


class ConversationRules(RuleBasedStateMachine):
    """One conversation with a model that is told ten turns whole; it has begun long ago."""

    conversations = FakeConversations

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.world = World(self.conversations(self.clock), self.clock)
        self.began = 0
        self.late: list[Run] = []
        self.said: dict[str, str] = {}
        self.until: dict[str, int] = {}
        self.erased: set[str] = set()
        for _ in range(12):
            self._end(self._begin())

    def _begin(self) -> Run:
        self.began += 1
        now = self.clock.now()
        run = Run(
            id=f"run_{self.began:05d}", tenant=TENANT, epoch=1, deadline=now + 270, keep_until=int(now) + KEPT_SECONDS
        )
        self.world.runs.accept(run, ASKED, None)
        return run

    def _end(self, run: Run) -> None:
        word = f"w{int(run.id[4:])}"
        turn = Turn(question=f"Say {word}", answer="Done.", at=self.clock.now(), documents=(f"doc-{word}",))
        self.world.conversations.append(run, "ann", "talk", turn)
        self.said[run.id], self.until[run.id] = word, run.expires_at
        ended = RunEnded(status=RunStatus.DONE, text_length=1)
        self.world.run_log.append(run, [ReceiptMade(receipt=Receipt(model_calls=(), model_cost_micro_usd=0)), ended])

    @rule(turns=st.integers(min_value=1, max_value=8))
    def ask(self, turns: int) -> None:
        for _ in range(turns):
            run = self._begin()
            self._end(run)
        summarize(run, self.world)

    @rule()
    def ask_and_fail_to_sum_up(self) -> None:
        self.world.model.fails = True
        self.ask(1)
        self.world.model.fails = False

    @rule()
    def begin_one_that_ends_late(self) -> None:
        self.late.append(self._begin())

    @precondition(lambda self: self.late)
    @rule(at=which)
    def end_late(self, at: int) -> None:
        run = self.late.pop(at % len(self.late))
        if self.clock.now() < run.deadline:
            self._end(run)
            summarize(run, self.world)

    @rule(turns=st.integers(min_value=1, max_value=8))
    def two_at_once(self, turns: int) -> None:
        run = self._begin()
        self._end(run)
        self.world.model.meanwhile.append(lambda: self.ask(turns))
        summarize(run, self.world)
        self.world.model.meanwhile.clear()

    @rule(at=which)
    def erase_a_document(self, at: int) -> None:
        self._erase(sorted(self.said)[at % len(self.said)])

    @rule(at=which)
    def erase_a_document_while_it_is_summed_up(self, at: int) -> None:
        doomed = sorted(self.said.keys() - self.erased)[:12]
        if doomed:
            self.world.model.meanwhile.append(lambda: self._erase(doomed[at % len(doomed)]))
            self.ask(4)
            self.world.model.meanwhile.clear()

    def _erase(self, run_id: str) -> None:
        self.world.conversations.forget(TENANT, f"doc-{self.said[run_id]}")
        self.erased.add(run_id)

    @rule(seconds=st.sampled_from([1, 100, 400]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def nothing_is_lost_told_twice_or_told_after_it_is_gone(self) -> None:
        run = Run(id="run_99999", tenant=TENANT, epoch=1, deadline=self.clock.now() + 270)
        memory = memory_of(run, ASKED, self.world)
        whole, older = [self.said[turn.run_id] for turn in memory.told.turns], _WORD.findall(memory.told.older.text)
        told, past = Counter([*whole, *older]), memory.summary.covers_until if memory.summary else ""
        summed_up = set(_WORD.findall(memory.summary.text)) if memory.summary else set[str]()

        assert set(told.values()) <= {1}, told
        assert {self.said[turn.run_id] for turn in memory.seen if turn.run_id > past} <= set(told)
        assert set(told) <= summed_up | {self.said[turn.run_id] for turn in memory.seen}
        gone = self.erased | {run_id for run_id, until in self.until.items() if until <= self.clock.now()}
        assert not {self.said[run_id] for run_id in gone} & set(told)
        assert {f"doc-{word}" for word in older} == set(memory.told.older.documents)
