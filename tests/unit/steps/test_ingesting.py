"""The steps of the ingest and erase machines, one after the other, over fakes and the real parser."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from functions.claim_document.handler import claim_document
from functions.close_document.handler import close_document
from functions.embed_passages.handler import embed_passages
from functions.erase_passages.handler import erase_passages
from functions.index_passages.handler import index_passages
from functions.publish_document.handler import publish_document
from functions.read_document.handler import read_document
from functions.refuse_document.handler import refuse_document
from functions.remove_passages.handler import remove_passages
from functions.split_document.handler import split_document
from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.contracts.memory import DocumentState, DocumentVersion, Labels, SearchScope
from plinth.contracts.retrieval import DEFAULT_MIX
from plinth.errors import DocumentRefusedError, NotFoundError, PassagesNotVisibleError
from plinth.memory.naming import document_id
from tests.fakes.memory import FIRST_INDEX
from tests.fakes.models import FakeEmbedder
from tests.fakes.objects import FakeWork
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]


def upload(services: ChainServices, name: str, body: bytes, *, sequence: str) -> DocumentVersion:
    services.parser = ChildProcessParser()
    version_id = services.sources.put(TENANT, name, body, "text/plain")
    return DocumentVersion(
        tenant=TENANT,
        document_id=document_id(TENANT, name),
        name=name,
        object_key=f"{TENANT.id}/{name}",
        version_id=version_id,
        sequence=sequence,
        size_bytes=len(body),
    )


def claimed(call: Call, document: DocumentVersion, execution: str = "one") -> DocumentVersion:
    told = call(claim_document, document=document, execution=execution)
    assert told["current"]
    return replace(document, attempt=told["attempt"])


def ingest(call: Call, document: DocumentVersion) -> dict[str, Any]:
    document = claimed(call, document)
    call(read_document, document=document)
    split = call(split_document, document=document)
    call(embed_passages, document=document)
    indexes = call(index_passages, document=document)["indexes"]
    return call(publish_document, document=document, indexes=indexes, **split)


def test_an_uploaded_document_becomes_searchable(services: ChainServices, call: Call) -> None:
    document = upload(services, "guide/größe.md", b"# Sizes\n\nThe size is large.", sequence="01")

    assert ingest(call, document) == {"published": True, "corpus_version": 1, "moved": False}

    record = services.documents.get(TENANT, document.document_id)
    assert (record.state, record.title, record.passages) == (DocumentState.READY, "Sizes", 1)
    assert record.tokens == services.token_counter.count(["Sizes\n# Sizes\n\nThe size is large."])[0]


def test_the_tags_of_an_object_are_kept_with_its_document(services: ChainServices, call: Call) -> None:
    document = upload(services, "a.txt", b"words", sequence="01")
    version_id = services.sources.put(TENANT, "a.txt", b"words", "text/plain", tags={"Team": "docs"})

    ingest(call, replace(document, version_id=version_id))

    record = services.documents.get(TENANT, document.document_id)
    assert record.labels == Labels(metadata=("team=docs",))
    (found,) = services.memory.search(
        SearchScope(tenant=TENANT), "words", services.embedder.embed(["words"])[0], limit=5, mix=DEFAULT_MIX
    )
    assert found.metadata == ("team=docs",)
    assert record.content_sha256 == hashlib.sha256(b"words").hexdigest()


def test_a_new_version_replaces_the_passages_of_the_old_one(services: ChainServices, call: Call) -> None:
    old = upload(services, "a.txt", b"old words", sequence="01")
    ingest(call, old)
    new = upload(services, "a.txt", b"new words", sequence="02")

    ingest(call, new)

    found = services.memory.search(
        SearchScope(tenant=TENANT), "words", services.embedder.embed(["words"])[0], limit=5, mix=DEFAULT_MIX
    )
    assert [passage.text for passage in found] == ["new words"]


def test_a_late_older_version_is_not_read(services: ChainServices, call: Call) -> None:
    older = upload(services, "a.txt", b"old", sequence="01")
    ingest(call, upload(services, "a.txt", b"new", sequence="02"))

    assert call(claim_document, document=older, execution="one") == {"current": False, "attempt": 0}


def test_a_version_is_not_published_before_a_search_counts_all_of_it(services: ChainServices, call: Call) -> None:
    document = claimed(call, upload(services, "a.txt", b"words", sequence="01"))
    call(read_document, document=document)
    call(split_document, document=document)

    with pytest.raises(PassagesNotVisibleError):
        call(publish_document, document=document, passages=1, indexes=[FIRST_INDEX])


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.txt", b" \n", "empty"),
        ("fake.pdf", b"hello", "not_a_pdf"),
        ("broken.pdf", b"%PDF-1.4 nothing", "unreadable_pdf"),
        ("bomb.zip", b"PK\x03\x04" + b"\0" * 100, "unsupported_format"),
        ("deep.html", b"<div>" * 200_000, "too_deep"),
        ("noise.txt", bytes(range(256)) * 100, "not_text"),
        ("table.xlsx", b"a,b", "unsupported_format"),
        ("blank.html", b"<html><body><script>1</script></body></html>", "no_text"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(
    services: ChainServices, call: Call, name: str, body: bytes, reason: str
) -> None:
    document = upload(services, name, body, sequence="01")

    with pytest.raises(DocumentRefusedError) as refused:
        call(read_document, document=document)

    assert refused.value.reason == reason


def test_a_refused_document_tells_its_owner_why_and_goes_to_the_dead_letters(
    services: ChainServices, call: Call
) -> None:
    document = claimed(call, upload(services, "fake.pdf", b"hello", sequence="01"))
    cause = json.dumps({"errorType": "DocumentRefusedError", "errorMessage": "not_a_pdf: export it again"})

    assert call(refuse_document, document=document, execution="one", error="DocumentRefusedError", cause=cause) == {
        "reason": "not_a_pdf",
        "refused": True,
    }

    record = services.documents.get(TENANT, document.document_id)
    assert (record.state, record.reason, record.message) == (DocumentState.REFUSED, "not_a_pdf", "export it again")
    assert services.dead_letters.sent == [(document, record)]
    assert len(record.attempted_at) == 1


@pytest.mark.guarantee_d
def test_a_version_that_failed_before_it_went_live_leaves_no_passage(services: ChainServices, call: Call) -> None:
    live = upload(services, "a.txt", b"live words", sequence="01")
    ingest(call, live)
    failed = claimed(call, upload(services, "a.txt", b"failed words", sequence="02"))
    call(read_document, document=failed)
    call(split_document, document=failed)
    call(embed_passages, document=failed)
    call(index_passages, document=failed)

    assert call(remove_passages, document=failed) == {"removed": 1}
    assert call(remove_passages, document=replace(live, attempt=1)) == {"removed": 0}

    found = services.memory.search(
        SearchScope(tenant=TENANT), "words", services.embedder.embed(["words"])[0], limit=5, mix=DEFAULT_MIX
    )
    assert [passage.text for passage in found] == ["live words"]


def test_a_failure_after_a_version_went_live_is_no_dead_letter(services: ChainServices, call: Call) -> None:
    live = upload(services, "a.txt", b"live words", sequence="01")
    ingest(call, live)

    call(
        refuse_document, document=replace(live, attempt=1), execution="one", error="MemoryUnavailableError", cause="{}"
    )

    assert services.dead_letters.sent == []
    assert services.documents.get(TENANT, live.document_id).state is DocumentState.READY


def test_an_erased_document_is_gone_from_memory_and_from_the_list(services: ChainServices, call: Call) -> None:
    document = upload(services, "a.txt", b"words", sequence="01")
    ingest(call, document)
    deletion = upload(services, "a.txt", b"", sequence="02")

    call(close_document, document=deletion)
    assert call(erase_passages, document=deletion) == {"removed": 1}

    with pytest.raises(NotFoundError):
        services.documents.get(TENANT, document.document_id)


def test_a_late_event_does_not_bring_a_deleted_document_back(services: ChainServices, call: Call) -> None:
    document = upload(services, "a.txt", b"words", sequence="01")
    call(close_document, document=upload(services, "a.txt", b"", sequence="02"))

    assert call(claim_document, document=document, execution="one")["current"] is False


class CountingEmbedder(FakeEmbedder):
    """An embedder that remembers what it was asked for."""

    def __init__(self, model_id: str = "fake-8") -> None:
        self.model_id = model_id
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.extend(texts)
        return super().embed(texts)


SAME, OLD, NEW = (f"## {word}\n\nThe {word} is long enough to stand by itself.\n\n" for word in ("same", "old", "new"))


def embedded(services: ChainServices, call: Call, document: DocumentVersion) -> dict[str, Any]:
    """Ingest the document as far as its vectors."""
    call(read_document, document=document)
    call(split_document, document=document)
    services.embedder = CountingEmbedder()
    return call(embed_passages, document=document)


def test_a_new_version_embeds_only_what_the_live_one_does_not_have(services: ChainServices, call: Call) -> None:
    ingest(call, upload(services, "a.md", (SAME + OLD).encode(), sequence="01"))
    new = claimed(call, upload(services, "a.md", (NEW + SAME + SAME).encode(), sequence="02"))

    told = embedded(services, call, new)

    assert (told["embedded"], told["reused"]) == (1, 1)
    assert [text for text in services.embedder.asked if "same" in text] == []
    indexes = call(index_passages, document=new)["indexes"]
    assert call(publish_document, document=new, passages=3, indexes=indexes)["published"]
    (best, *_) = services.memory.search(
        SearchScope(tenant=TENANT), "same", services.embedder.embed(["the same is long"])[0], limit=5, mix=DEFAULT_MIX
    )
    assert "same" in best.text


def test_a_passage_under_another_heading_is_embedded_again(services: ChainServices, call: Call) -> None:
    ingest(call, upload(services, "a.md", b"# A\n\none\n\n## B\n\nsame\n\n## C\n\nleft", sequence="01"))
    moved = claimed(call, upload(services, "a.md", b"# A\n\none\n\n## D\n\nsame\n\n## C\n\nleft", sequence="02"))

    told = embedded(services, call, moved)

    assert (told["embedded"], told["reused"]) == (1, 2)
    assert services.embedder.asked == ["A > D\n## D\n\nsame"]


def test_vectors_are_taken_from_memory_however_long_ago_they_were_made(services: ChainServices, call: Call) -> None:
    ingest(call, upload(services, "a.md", SAME.encode(), sequence="01"))
    services.work = FakeWork()

    assert embedded(services, call, upload(services, "a.md", SAME.encode(), sequence="02"))["reused"] == 1


@pytest.mark.guarantee_e
def test_vectors_of_another_document_with_the_same_text_are_not_taken(services: ChainServices, call: Call) -> None:
    ingest(call, upload(services, "a.md", SAME.encode(), sequence="01"))

    assert embedded(services, call, upload(services, "b.md", SAME.encode(), sequence="01"))["embedded"] == 1
