"""What our own code costs per request: the whole answer chain over stores and a model in memory, with no I/O.

The steps run in the machine's order, each from JSON to JSON with its log line, as Lambda calls them. Search and
embedding return ready-made results, so that no stand-in's own work is counted as ours; what a run holds passes
through JSON, as it does on its way to a store.
"""

import json
import os
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from bench.figures import Figure, Goal, cpu_ms, in_turns
from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.check_answerable.handler import check_answerable
from functions.claim_run.handler import claim_run
from functions.look_up_answer.handler import look_up_answer
from functions.parse_reply.handler import parse_reply
from functions.recall_conversation.handler import recall_conversation
from functions.retrieve_context.handler import retrieve_context
from functions.save_answer.handler import save_answer
from plinth.contracts.memory import Content, DocumentVersion, SearchScope, StoredPassage
from plinth.contracts.retrieval import Mix
from plinth.contracts.runs import Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.ports.documents import Vector
from plinth.runtime import step
from plinth.wiring import Services
from tests.fakes.answers import FakeAnswers
from tests.fakes.breakers import FakeBreakers
from tests.fakes.clock import FakeClock
from tests.fakes.conversations import FakeConversations
from tests.fakes.documents import FakeDocuments
from tests.fakes.facts import FakeFacts
from tests.fakes.limits import FakeLimits
from tests.fakes.memory import FakeMemory
from tests.fakes.models import FakeEmbedder, FakeModel, whole
from tests.fakes.runs import FakeExecutions, FakeRunLog, FakeRuns

_TIMES = 400
_GOAL_MS = 0.3
_CACHED_GOAL_MS = 0.1
_TENANT = Tenant(id="acme")
_TEXT = "Purging a package removes its configuration files as well, which a plain removal keeps. " * 9
_REPLY = ("Purging ", "removes ", "the ", "configuration ", "files ", "too ", "[1]. ") * 8
_CALIBRATION = {"passages": [{"id": str(number), "text": _TEXT, "score": number / 7} for number in range(8)]}
_HITS = [
    StoredPassage(
        chunk_id=f"d{number % 6}:1:{number:06d}",
        document_id=f"d{number % 6}",
        generation="1.0001",
        name=f"d{number % 6}.md",
        title="About packages",
        position=number,
        text=_TEXT,
        score=1 / (60 + number),
        similarity=0.8,
    )
    for number in range(24)
]


def measure(*, large: bool) -> list[Figure]:
    """Return the figures of a fresh answer and of one from the exact cache."""
    del large
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        fresh, cached = Chain(), Chain()
        cached.answer("What does purging do?")
        cached.durations_ms.clear()
        return [
            _figure("fresh answer", fresh, fresh.answer_anew, goal_ms=_GOAL_MS),
            _figure("cached answer", cached, lambda: cached.answer("What does purging do?"), goal_ms=_CACHED_GOAL_MS),
        ]


_CONTEXT = SimpleNamespace(
    aws_request_id="request", memory_limit_in_mb=256, get_remaining_time_in_millis=lambda: 30_000
)
"""What Lambda tells a function of its call."""


class Chain:
    """The answer machine's steps over these services; `durations_ms` holds what each says that it took."""

    def __init__(self, services: Services | None = None, *, model: str = "claude-haiku-5-5") -> None:
        self.durations_ms: defaultdict[str, list[float]] = defaultdict(list)
        self._services = services or _services()
        self._model = model
        self._handlers: dict[Callable[..., object], Callable[..., dict[str, Any]]] = {}
        self._asked = 0

    def answer_anew(self) -> None:
        """Answer a question that was never asked."""
        self.answer(f"How do I purge package {self._asked}?")

    def answer(self, question: str) -> str:
        """Walk the machine, by the short way where the answer is cached; return the run's id."""
        run = self._accepted(question)
        self._call(claim_run, run=run, owner="execution")
        context = self._call(retrieve_context, run=run)
        recalled = self._call(recall_conversation, run=run)
        known = {"corpus_version": context["corpus_version"], "conversation_digest": recalled["digest"]}
        looked_up = self._call(look_up_answer, run=run, **known)
        found, declined = looked_up["found"], False
        calls: list[object] = []
        if not found and context["doubtful"]:
            checked = self._call(check_answerable, run=run)
            declined, calls = not checked["answerable"], [*checked["calls"]]
        if not found and not declined:
            self._call(build_prompt, run=run, turns=recalled["turns"])
            calls += self._call(call_model, run=run, attempt=1, steps=[])["calls"]
            self._call(parse_reply, run=run)
        ended = {"cache_key": None if found else looked_up["cache_key"], "calls": calls, "declined": declined}
        self._call(save_answer, run=run, cached=found, steps=[], **ended)
        return f"run_{self._asked}"

    def _accepted(self, question: str) -> object:
        self._asked += 1
        run = Run(id=f"run_{self._asked}", tenant=_TENANT, epoch=1, deadline=self._services.clock.now() + 270)
        request = RunRequest(question=question, model=self._model, user="ann", conversation_id=f"c{self._asked}")
        self._services.runs.accept(run, request, None)
        return msgspec.to_builtins(run)

    def _call(self, function: Callable[..., object], **event: object) -> dict[str, Any]:
        if function not in self._handlers:
            self._handlers[function] = step(function, services=self._services)
        answer = self._handlers[function](event, _CONTEXT)
        self.durations_ms[answer["step"]["step"]].append(answer["step"]["duration_ms"])
        result: dict[str, Any] = answer["result"]
        return result


class ReadyHits(FakeMemory):
    """`Memory` that searched beforehand."""

    def search(self, scope: SearchScope, question: str, vector: Vector, *, limit: int, mix: Mix) -> list[StoredPassage]:
        """Return the hits."""
        del scope, question, vector, mix
        return _HITS[:limit]


class ChainServices(Services):
    """`Services` whose model answers every call alike."""

    def language_model(self, provider: str) -> FakeModel:
        """Return a model with one call in it."""
        del provider
        return FakeModel((_REPLY, whole()))


def _services() -> ChainServices:
    made = ChainServices()
    clock = FakeClock()
    made.clock, made.runs = clock, (runs := FakeRuns(clock))
    made.executions, made.run_log = FakeExecutions(runs), FakeRunLog(runs)
    made.conversations, made.facts, made.answers = FakeConversations(clock), FakeFacts(clock), FakeAnswers(clock)
    made.breakers = FakeBreakers(clock)
    made.limits = FakeLimits(clock)
    made.documents, made.memory, made.embedder = FakeDocuments(clock), ReadyHits(), FakeEmbedder()
    for document_id in {hit.document_id for hit in _HITS}:
        document = DocumentVersion(
            tenant=_TENANT,
            document_id=document_id,
            name=f"{document_id}.md",
            object_key=f"acme/{document_id}.md",
            version_id="v1",
            sequence="1",
            size_bytes=1,
            attempt=1,
        )
        made.documents.begin(document, execution="one")
        made.documents.publish(document, Content(title="About packages", passages=4))
    return made


def _figure(name: str, chain: Chain, ask: Callable[[], object], *, goal_ms: float) -> Figure:
    samples, reference = in_turns(cpu_ms(ask), cpu_ms(_calibrate), times=_TIMES)
    inside_ms = {each: round(statistics.median(ms), 3) for each, ms in chain.durations_ms.items()}
    return Figure(
        name=name,
        unit="CPU ms",
        samples=samples,
        reference=f"json.loads(json.dumps()) of {len(json.dumps(_CALIBRATION))} bytes",
        reference_samples=reference,
        details={
            "p95_ms": _p95(samples),
            "frame_and_log_line_ms": round(statistics.median(samples) - sum(inside_ms.values()), 3),
            **inside_ms,
        },
        goals=(Goal(what="CPU ms p50", value=statistics.median(samples), limit=goal_ms),),
    )


def _calibrate() -> object:
    return json.loads(json.dumps(_CALIBRATION))


def _p95(samples: Sequence[float]) -> float:
    return round(statistics.quantiles(samples, n=20)[-1], 3)
