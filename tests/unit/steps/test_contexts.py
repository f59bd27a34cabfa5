"""A document whose passages a model places: ordered, priced, written once, searched, and never in the way."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.claim_document.handler import claim_document
from functions.embed_passages.handler import embed_passages
from functions.index_passages.handler import index_passages
from functions.plan_contexts.handler import plan_contexts
from functions.publish_document.handler import publish_document
from functions.read_document.handler import read_document
from functions.split_document.handler import split_document
from functions.write_contexts.handler import write_contexts
from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.contracts.access import Allowance, Allowances, KeyRecord, Tier
from plinth.contracts.context_orders import DocumentContexts
from plinth.contracts.memory import DocumentVersion, SearchScope, StoredPassage
from plinth.contracts.models import ModelRequest, StopReason, StreamItem, TextChunk
from plinth.contracts.retrieval import DEFAULT_MIX
from plinth.errors import (
    ContextsLostError,
    DocumentRefusedError,
    ModelBusyError,
    ModelRequestRefusedError,
    ModelStreamCutError,
    StoreUnavailableError,
)
from plinth.memory.naming import document_id
from plinth.memory.tagging import CONTEXT_KEY, CONTEXT_MODEL, CONTEXT_MOST
from plinth.money.budgets import limited_budgets
from plinth.runtime import context_plans
from plinth.runtime.contexts import WAITING_SECONDS, WRITING_SECONDS
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.models import whole
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
START = FakeClock().now()
MODEL = "claude-haiku-5-5"
BUDGETS = Allowances(tenant=Allowance(day_micro_usd=1_000_000), user=Allowance(day_micro_usd=900_000), revision=1)
ORDER = {CONTEXT_MODEL: MODEL, CONTEXT_KEY: "key1"}
PARTS = [b"## Part %d\n\n%sWords of part %d." % (n, b"And so on. " * 20, n) for n in range(10)]
TEXT = b"# Guide\n\n" + b"\n\n".join(PARTS)


class Writer:
    """A model that places each passage it is asked about, as often as no `failures` are left."""

    def __init__(self, *failures: BaseException | str) -> None:
        self.failures = list(failures)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        self.requests.append(request)
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, BaseException):
            raise failure
        schema = request.prompt.answer_schema or {}
        numbers = schema["required"]
        assert isinstance(numbers, list)
        told = json.dumps({number: f"Zebra note {number}." for number in numbers})
        yield TextChunk(text=told if failure is None else failure)
        yield whole(StopReason.END)


@pytest.fixture
def writer(services: ChainServices) -> Writer:
    made = Writer()
    services.models = {"anthropic": made}
    services.tenants.tiers[TENANT] = Tier(name="pro", models=(MODEL,), max_output_tokens=4000, budgets=BUDGETS)
    services.tenants.keys["key1"] = KeyRecord(tenant=TENANT, user="ann", secret_sha256="", scopes=())
    services.ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    return made


def uploaded(
    services: ChainServices,
    call: Call,
    body: bytes = TEXT,
    *,
    sequence: str = "01",
    order: dict[str, str] | None = None,
) -> DocumentVersion:
    """Upload a document and split it."""
    services.parser = ChildProcessParser()
    version_id = services.sources.put(TENANT, "a.md", body, "text/markdown", tags=ORDER if order is None else order)
    document = DocumentVersion(
        tenant=TENANT,
        document_id=document_id(TENANT, "a.md"),
        name="a.md",
        object_key=f"{TENANT.id}/a.md",
        version_id=version_id,
        sequence=sequence,
        size_bytes=len(body),
    )
    claimed = call(claim_document, document=document, execution=f"e{sequence}")
    document = replace(document, attempt=claimed["attempt"])
    call(read_document, document=document)
    return document


def ingest(services: ChainServices, call: Call, document: DocumentVersion) -> int:
    """Take the document to its publication as the machine does; return what its contexts cost."""
    split, cost = call(split_document, document=document), 0
    assert split["with_contexts"]
    for window in range(call(plan_contexts, document=document)["windows"]):
        cost += write(call, document, window)["cost_micro_usd"]
    embedded = call(embed_passages, document=document, with_contexts=True)
    indexes = call(index_passages, document=document)["indexes"]
    told = {"tokens": embedded["tokens"], "in_context": embedded["in_context"], "contexts_micro_usd": cost}
    published = call(publish_document, document=document, passages=split["passages"], indexes=indexes, **told)
    assert published["published"]
    return cost


def write(call: Call, document: DocumentVersion, window: int, **more: float) -> dict[str, Any]:
    """Write a window as the machine does in an execution that began with the test."""
    return call(write_contexts, document=document, window=window, **{"round": 1, "started_at": START, **more})


def contexts_of(services: ChainServices, document: DocumentVersion) -> DocumentContexts:
    found = services.documents.get(TENANT, document.document_id).contexts
    assert found
    return found


def found_by(services: ChainServices, words: str) -> list[StoredPassage]:
    return services.memory.search(
        SearchScope(tenant=TENANT), words, services.embedder.embed([words])[0], limit=50, mix=DEFAULT_MIX
    )


def spent(services: ChainServices) -> list[tuple[int, int]]:
    """Return what each budget's day has spent and holds."""
    budgets = limited_budgets(TENANT, BUDGETS, user="ann", key_id="key1")
    return [(each.day.spent_micro_usd, each.day.held_micro_usd) for each in services.ledger.left(budgets)]


def test_a_context_is_searched_and_embedded_and_never_part_of_what_is_told_or_cited(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call)

    ingest(services, call, document)

    found = found_by(services, "zebra")
    assert {each.context for each in found} == {f"Zebra note {n}." for n in range(1, 9)}
    assert not any("Zebra" in each.in_context + each.text + each.above for each in found)
    vectors = {vector for passage, vector in [(p.text, tuple(v)) for p, v in services.memory.read(document).passages]}
    (alone,) = services.embedder.embed([found[0].in_context])
    assert tuple(alone) not in vectors
    record = services.documents.get(TENANT, document.document_id)
    assert record.tokens == sum(services.token_counter.count([each.searched for each in found]))


def test_a_document_without_the_option_asks_no_model(services: ChainServices, call: Call, writer: Writer) -> None:
    document = uploaded(services, call, order={})

    assert call(split_document, document=document)["with_contexts"] is False
    call(embed_passages, document=document)

    assert writer.requests == []


def test_what_contexts_cost_is_in_the_budgets_the_usage_and_the_documents_row_alike(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call)

    cost = ingest(services, call, document)

    assert contexts_of(services, document) == DocumentContexts(model=MODEL, passages=10, missing=0, cost_micro_usd=cost)
    assert spent(services) == [(cost, 0), (cost, 0)]
    (first, second) = services.usage.days(TENANT, first="0000", last="9999")
    assert {first.user, second.user} == {"ann"}
    assert first.amounts["model_cost_micro_usd"] + second.amounts["model_cost_micro_usd"] == cost > 0
    assert first.amounts["step/WriteContexts/model_cost_micro_usd"] == first.amounts["model_cost_micro_usd"]


def test_a_new_version_pays_for_the_passages_that_changed_alone(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    ingest(services, call, uploaded(services, call))
    writer.requests.clear()

    again = uploaded(services, call, TEXT.replace(b"Words of part 9", b"Other words"), sequence="02")
    ingest(services, call, again)

    (request,) = writer.requests
    assert "Other words" in request.prompt.messages[0].text
    assert "[2]" not in request.prompt.messages[0].text
    assert contexts_of(services, again).missing == 0


def test_a_version_with_the_same_text_pays_nothing(services: ChainServices, call: Call, writer: Writer) -> None:
    ingest(services, call, uploaded(services, call))
    writer.requests.clear()

    again = uploaded(services, call, sequence="02")

    assert ingest(services, call, again) == 0
    assert writer.requests == []
    assert contexts_of(services, again) == DocumentContexts(model=MODEL, passages=10, missing=0, cost_micro_usd=0)


@pytest.mark.guarantee_b
def test_a_window_that_is_written_again_by_a_retry_or_a_later_try_is_paid_once(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call)
    call(split_document, document=document)
    most = call(plan_contexts, document=document)["most_micro_usd"]
    cost = write(call, document, 0)["cost_micro_usd"]

    assert write(call, document, 0)["cost_micro_usd"] == cost
    redriven = replace(document, attempt=2)
    for name in ("text", "split"):
        services.work.put(redriven, name, services.work.get(document, name))
    assert 0 < call(plan_contexts, document=redriven)["most_micro_usd"] < most
    assert write(call, redriven, 0)["cost_micro_usd"] == cost

    assert len(writer.requests) == 1
    assert spent(services) == [(cost, 0), (cost, 0)]
    assert [each.amounts["model_cost_micro_usd"] for each in services.usage.days(TENANT, first="0", last="9")] == [cost]


def test_a_bad_reply_is_tried_once_more(services: ChainServices, call: Call, writer: Writer) -> None:
    writer.failures = ['{"1": "too few"}']
    document = uploaded(services, call)

    cost = ingest(services, call, document)

    assert len(writer.requests) == 3
    assert contexts_of(services, document).missing == 0
    assert spent(services) == [(cost, 0), (cost, 0)]


@pytest.mark.parametrize("failure", ["no JSON", ModelStreamCutError("cut"), ModelRequestRefusedError("no")])
def test_a_window_that_fails_twice_leaves_its_passages_without_and_the_document_whole(
    services: ChainServices, call: Call, writer: Writer, failure: Exception | str
) -> None:
    writer.failures = [failure, failure]
    document = uploaded(services, call)

    cost = ingest(services, call, document)

    assert len(writer.requests) == 3
    assert contexts_of(services, document) == DocumentContexts(model=MODEL, passages=2, missing=8, cost_micro_usd=cost)
    assert len(found_by(services, "words of part")) == 10
    assert spent(services) == [(cost, 0), (cost, 0)]


def test_a_busy_model_is_waited_for_and_costs_nothing_until_it_answers(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    writer.failures = [ModelBusyError("later", 17.2), ModelBusyError("later", 0.1), ModelBusyError("later", None)]
    document = uploaded(services, call)
    call(split_document, document=document)
    call(plan_contexts, document=document)

    told = write(call, document, 0)
    soon = write(call, document, 0, round=2, started_at=START - WAITING_SECONDS + 1)
    last = write(call, document, 0, round=3, started_at=START - WAITING_SECONDS)

    assert (told["busy"], told["wait_seconds"], last["busy"]) == (True, 18, False)
    assert (soon["busy"], soon["wait_seconds"]) == (True, 10)
    assert spent(services) == [(0, 0), (0, 0)]
    assert write(call, document, 0, round=4)["cost_micro_usd"] > 0


def test_a_document_that_has_been_written_about_for_long_leaves_the_machine_time_to_publish_it(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call)
    call(split_document, document=document)
    call(plan_contexts, document=document)

    told = write(call, document, 0, started_at=START - WRITING_SECONDS - 1)

    assert (told["busy"], told["cost_micro_usd"], writer.requests) == (False, 0, [])


def test_passages_beyond_the_most_windows_of_a_try_are_missing_and_the_next_version_writes_them(
    services: ChainServices, call: Call, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_plans, "MAX_WINDOWS", 1)
    document = uploaded(services, call)
    ingest(services, call, document)
    assert contexts_of(services, document).missing == 2

    again = uploaded(services, call, sequence="02")
    ingest(services, call, again)

    assert contexts_of(services, again).missing == 0


@pytest.mark.guarantee_b
def test_a_window_that_was_paid_for_and_cannot_be_kept_ends_in_an_error_that_the_machine_does_not_repeat(
    services: ChainServices, call: Call, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = uploaded(services, call)
    call(split_document, document=document)
    call(plan_contexts, document=document)

    def failing(*_: object) -> None:
        raise StoreUnavailableError("S3 throttled")

    monkeypatch.setattr(services.work, "put", failing)
    with pytest.raises(ContextsLostError):
        write(call, document, 0)

    assert len(writer.requests) == 1


@pytest.mark.guarantee_b
def test_a_call_whose_function_died_is_held_and_not_made_twice(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    writer.failures = [KeyboardInterrupt()]
    document = uploaded(services, call)
    call(split_document, document=document)
    call(plan_contexts, document=document)

    with pytest.raises(KeyboardInterrupt):
        write(call, document, 0)
    held = spent(services)[0][1]
    cost = write(call, document, 0)["cost_micro_usd"]
    services.time.advance(1000)
    services.ledger.sweep(limit=10)

    assert len(writer.requests) == 2
    assert held > 0
    assert spent(services) == [(cost, 0), (cost, 0)]


def test_a_budget_that_is_too_small_is_told_and_nothing_is_asked(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    small = Allowances(tenant=Allowance(day_micro_usd=1), revision=2)
    services.tenants.tiers[TENANT] = replace(services.tenants.tiers[TENANT], budgets=small)
    document = uploaded(services, call)
    call(split_document, document=document)
    call(plan_contexts, document=document)

    assert write(call, document, 0)["over_budget"] is True

    assert writer.requests == []


def test_a_document_that_could_cost_more_than_was_told_is_refused_before_anything_is_asked(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call, order={**ORDER, CONTEXT_MOST: "1"})
    call(split_document, document=document)

    with pytest.raises(DocumentRefusedError, match="more than the 1 that were allowed: upload it with") as refused:
        call(plan_contexts, document=document)

    assert refused.value.reason == "contexts_too_dear"
    assert writer.requests == []


def test_a_model_that_the_tenant_does_not_have_refuses_the_document_and_names_those_it_has(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call, order={CONTEXT_MODEL: "claude-opus-5-5"})
    call(split_document, document=document)

    with pytest.raises(DocumentRefusedError, match=f"context_model.*use one of {MODEL}") as refused:
        call(plan_contexts, document=document)

    assert refused.value.reason == "bad_metadata"


def test_contexts_that_the_bucket_orders_are_paid_by_the_tenant_alone(
    services: ChainServices, call: Call, writer: Writer
) -> None:
    document = uploaded(services, call, order={"Context-Model": MODEL})

    cost = ingest(services, call, document)

    assert spent(services) == [(cost, 0), (0, 0)]
    assert {each.user for each in services.usage.days(TENANT, first="0", last="9")} == {"(bucket)"}
