"""What the default local model makes of questions over the samples: right, cited, abstained.

Thirty questions are the gate. Thirty others, held out, judge what was chosen by these; their figures are only told.

The steps of the answer machine run as they are, over the real search engine, embedding and language model; only the
tables are in memory. A question with an answer counts as right if it says what it must, as cited if it also names a
document that says so; one without counts as abstained if its outcome is `not_in_documents`.
"""

import os
import sys
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.figures import Figure, Goal
from bench.host import REPOSITORY
from bench.own_code import Chain
from bench.retrieval import vectors
from bench.search import running_engine
from local.models.files import cache_directory, ensure
from local.processes import LOOPBACK, free_port, start, stop, wait_healthy
from plinth.adapters.chat_bodies import SELF_HOSTED
from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.adapters.openai_model import OpenAiModel
from plinth.adapters.opensearch_memory import OpenSearchMemory
from plinth.adapters.parsers.__main__ import parse
from plinth.adapters.provider_tokens import Token
from plinth.adapters.word_pieces import WordPieceCounter
from plinth.contracts.memory import Content, DocumentVersion
from plinth.contracts.runs import NOT_IN_DOCUMENTS, RunRecord
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id
from plinth.memory.splitting import split_document
from plinth.wiring import Services
from tests.fakes.answers import FakeAnswers
from tests.fakes.breakers import FakeBreakers
from tests.fakes.clock import FakeClock
from tests.fakes.conversations import FakeConversations
from tests.fakes.documents import FakeDocuments
from tests.fakes.facts import FakeFacts
from tests.fakes.limits import FakeLimits
from tests.fakes.runs import FakeExecutions, FakeRunLog, FakeRuns
from tests.fakes.usage import FakeUsage

MODEL = "plinth-local"
GOALS = {"right": 16, "right and cited": 14, "abstained": 8}
"""Of 20 questions with an answer, and of 10 without: what the default local model should reach."""
LEAST = {"right": 15, "right and cited": 15, "abstained": 9}
"""What it must reach, one below what it did on 2026-11-26: the gate is for what gets worse."""

_TENANT = Tenant(id="acme")
_SAMPLES = REPOSITORY / "samples"
_LOADING_SECONDS = 120.0


class Question(msgspec.Struct):
    """A row of a file of questions in samples."""

    id: str
    question: str
    answerable: bool
    must_contain: list[list[str]] = []
    documents: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A question and what became of it."""

    question: Question
    right: bool
    cited: bool
    abstained: bool
    text: str


def measure(*, large: bool) -> list[Figure]:
    """Return how many questions are right, right and cited, and abstained from, each with its least."""
    del large
    asked, held_out = questions(), questions("held_out_questions")
    judged = answer_all((*asked, *held_out))
    gate, others = judged[: len(asked)], judged[len(asked) :]
    return [*(_figure(name, gate) for name in GOALS), *(_figure(name, others, of="held out: ") for name in GOALS)]


def passed(judged: Sequence[Judged], name: str) -> list[bool]:
    """Say of each question that `name`, a key of `GOALS`, is about whether it passed."""
    answerable = [each for each in judged if each.question.answerable]
    match name:
        case "right":
            return [each.right for each in answerable]
        case "right and cited":
            return [each.right and each.cited for each in answerable]
        case "abstained":
            return [each.abstained for each in judged if not each.question.answerable]
        case _:
            raise ValueError(f"{name} is none of {', '.join(GOALS)}")


def missed(judged: Sequence[Judged]) -> dict[str, str]:
    """Return how each answer begins that should have been another, by the question's id."""
    wrong = [each for each in judged if not (each.right if each.question.answerable else each.abstained)]
    return {each.question.id: each.text[:120] for each in wrong}


def questions(name: str = "questions") -> list[Question]:
    """Return the questions over the samples of one file."""
    return msgspec.json.decode((_SAMPLES / f"{name}.json").read_bytes(), type=list[Question])


def answer_all(asked: Iterable[Question]) -> list[Judged]:
    """Ask the local model each question, one after the other, and judge its answers."""
    with sample_stack() as services, Path(os.devnull).open("w") as nowhere:
        chain = Chain(services, model=MODEL)
        judged: list[Judged] = []
        for each in asked:
            with redirect_stdout(nowhere):
                run_id = chain.answer(each.question)
            judged.append(judge(each, services.runs.get(_TENANT, run_id)))
        return judged


def judge(question: Question, run: RunRecord) -> Judged:
    """Say what the run's answer is worth."""
    answer = run.answer
    text = answer.text if answer else ""
    said = text.lower()
    wanted = question.must_contain
    return Judged(
        question=question,
        right=bool(wanted) and all(any(each.lower() in said for each in alternatives) for alternatives in wanted),
        cited=answer is not None and any(each.name in question.documents for each in answer.citations),
        abstained=answer is not None and answer.stop_reason == NOT_IN_DOCUMENTS,
        text=text,
    )


@contextmanager
def sample_stack() -> Generator[Services]:
    """Yield services that hold the samples, with the search engine and the default local model behind them."""
    embedder = OnnxEmbedder(ensure("embedding", cache=cache_directory(), progress=print))
    with tempfile.TemporaryDirectory() as place, running_engine(Path(place)) as (client, _), _model(place) as model:
        services = _Services(model)
        clock = FakeClock()
        services.clock, services.runs = clock, (runs := FakeRuns(clock))
        services.executions, services.run_log, services.usage = FakeExecutions(runs), FakeRunLog(runs), FakeUsage(runs)
        services.conversations, services.facts = FakeConversations(clock), FakeFacts(clock)
        services.answers = FakeAnswers(clock)
        services.breakers, services.limits = FakeBreakers(clock), FakeLimits(clock)
        services.documents, services.embedder = FakeDocuments(clock), embedder
        services.memory = _OneIndex(client=client, index="passages")
        _remember(services, embedder)
        client.indices.refresh(index="passages")
        yield services


class _OneIndex(OpenSearchMemory):
    """`Memories` of a search engine with one index, whatever it is called."""

    def named(self, index: str) -> "_OneIndex":
        """Return this one."""
        del index
        return self


class _Services(Services):
    """`Services` whose every model is the one on this machine."""

    def __init__(self, model: OpenAiModel) -> None:
        self._local = model

    def language_model(self, provider: str) -> OpenAiModel:
        """Return the local model."""
        del provider
        return self._local


@contextmanager
def _model(place: str) -> Generator[OpenAiModel]:
    file = ensure("demo", cache=cache_directory(), progress=print)
    port = free_port()
    command = [sys.executable, "-m", "local.models", "--port", str(port), "--model-file", str(file)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    server = start("models", [*command, "--endpoint", MODEL], env=environment, log_path=Path(place) / "models.log")
    try:
        wait_healthy(f"http://{LOOPBACK}:{port}/health", server, _LOADING_SECONDS)
        url = f"http://{LOOPBACK}:{port}/endpoints/{MODEL}/openai/v1"
        yield OpenAiModel(url, token=Token(lambda: "none", life_seconds=3600), dialect=SELF_HOSTED)
    finally:
        stop([server])


def _remember(services: Services, embedder: OnnxEmbedder) -> None:
    folder = _SAMPLES / "documents"
    counter = WordPieceCounter(ensure("embedding", cache=cache_directory(), progress=print))
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        parsed = parse(name, file.read_bytes())
        passages = split_document(parsed, counter)
        document = DocumentVersion(
            tenant=_TENANT,
            document_id=document_id(_TENANT, name),
            name=name,
            object_key=f"{_TENANT.id}/{name}",
            version_id=None,
            sequence="1",
            attempt=1,
            size_bytes=file.stat().st_size,
        )
        made = vectors([each.in_context for each in passages], embedder)
        services.documents.begin(document, execution="one")
        services.memory.named("passages").index(document, parsed.title, list(zip(passages, made.tolist(), strict=True)))
        services.documents.publish(document, Content(title=parsed.title, passages=len(passages)))


def _figure(name: str, judged: Sequence[Judged], *, of: str = "") -> Figure:
    asked = passed(judged, name)
    reached = sum(asked)
    withheld = sum(each.abstained for each in judged if each.question.answerable)
    return Figure(
        name=of + name,
        unit=f"of {len(asked)}",
        samples=(float(reached),),
        reference="questions of the kind",
        reference_samples=(float(len(asked)),),
        details={"abstained from": withheld, **missed(judged)} if name == "right" else {},
        goals=(Goal(what=of + name, value=reached, limit=GOALS[name], at_least=True),),
    )
