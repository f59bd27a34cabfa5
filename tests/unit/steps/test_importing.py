"""The steps of the import machine, and how a bucket's event finds the import that waits for it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from functions.close_import.handler import close_import
from functions.note_outcome.handler import note_outcome
from functions.place_document.handler import place_document
from plinth.contracts.context_orders import DocumentContexts
from plinth.contracts.importing import Batch, ImportedFile, ImportRecord, ImportState
from plinth.contracts.memory import Content, DocumentVersion, Labels, SourceFacts
from plinth.contracts.runs import Failure
from plinth.errors import DocumentRefusedError, PassagesNotVisibleError
from plinth.memory.naming import document_id, sequence
from plinth.runtime.bucket_events import BucketEvent, start_machine
from tests.unit.steps.conftest import TENANT, ChainServices

Call = Callable[..., dict[str, Any]]
FILE = ImportedFile(
    name="a.txt", sha256=hashlib.sha256(b"a").hexdigest(), size_bytes=1, content_type="text/plain", metadata={"k": "v"}
)
DOCUMENT = document_id(TENANT, FILE.name)


@pytest.fixture
def batch(services: ChainServices) -> Batch:
    services.staged_files.staged.add((TENANT, FILE.sha256))
    record = ImportRecord(import_id="imp_1", state=ImportState.UPLOADING, files=1, unchanged=0, created_at=0.0)
    services.imports.prepare(TENANT, record)
    begun = services.imports.begin(TENANT, "imp_1")
    assert begun
    return begun


def version(number: int) -> DocumentVersion:
    return DocumentVersion(
        tenant=TENANT,
        document_id=DOCUMENT,
        name=FILE.name,
        object_key=f"acme/{FILE.name}",
        version_id=f"v{number}",
        sequence=sequence(str(number)),
        size_bytes=1,
    )


def event(number: int, *, reason: str) -> BucketEvent:
    stored = {"key": "acme/a.txt", "sequencer": str(number), "size": 1, "version-id": f"v{number}"}
    return msgspec.convert(
        {"detail-type": "Object Created", "detail": {"object": stored, "reason": reason}}, type=BucketEvent
    )


def begun(services: ChainServices, number: int) -> DocumentVersion:
    attempt = services.documents.begin(version(number), execution="one")
    return replace(version(number), attempt=attempt or 0)


def publish(
    services: ChainServices, number: int, *, file: ImportedFile = FILE, contexts: DocumentContexts | None = None
) -> None:
    labels = Labels(metadata=tuple(f"{name}={value}" for name, value in file.metadata.items()))
    facts = SourceFacts(content_sha256=file.sha256, labels=labels)
    services.documents.publish(begun(services, number), Content(title="T", passages=1, source=facts, contexts=contexts))


def note(call: Call, batch: Batch, *, file: ImportedFile = FILE, error: str = "", cause: str = "") -> bool:
    failed: bool = call(note_outcome, batch=batch, file=file, error=error, cause=cause)["failed"]
    return failed


@pytest.mark.guarantee_d
def test_the_event_of_a_placed_file_wakes_its_import_and_starts_no_machine_beside_it(
    services: ChainServices, call: Call, batch: Batch
) -> None:
    assert call(place_document, batch=batch, file=FILE, task_token="t1")["placed"]

    start_machine(event(7, reason="CopyObject"), services)

    told = msgspec.to_builtins(services.callbacks.told)
    assert told["t1"]["result"] == {"placed": True, "document": msgspec.to_builtins(version(7))}
    assert services.machines.ingests == {}


@pytest.mark.guarantee_d
@pytest.mark.parametrize("reason", ["PutObject", "CopyObject"])
def test_an_event_that_no_import_waits_for_is_ingested_as_ever(services: ChainServices, reason: str) -> None:
    services.imports.await_event(TENANT, DOCUMENT, task_token="over")
    services.callbacks.gone.add("over")

    start_machine(event(7, reason=reason), services)

    assert list(services.machines.ingests.values()) == [version(7)]


def test_a_document_that_is_there_already_as_it_is_is_not_placed_again(
    services: ChainServices, call: Call, batch: Batch
) -> None:
    publish(services, 1)

    assert not call(place_document, batch=batch, file=FILE, task_token="t1")["placed"]

    assert services.staged_files.placed == []
    assert not note(call, batch)
    assert services.imports.get(TENANT, "imp_1").ready == 1


@pytest.mark.parametrize("changed", [{"sha256": "0" * 64}, {"metadata": {"k": "w"}}])
def test_other_bytes_or_other_labels_are_placed(
    services: ChainServices, call: Call, batch: Batch, changed: dict[str, Any]
) -> None:
    publish(services, 1)
    file = msgspec.convert({**msgspec.to_builtins(FILE), **changed}, type=ImportedFile)
    services.staged_files.staged.add((TENANT, file.sha256))

    assert call(place_document, batch=batch, file=file, task_token="t1")["placed"]


@pytest.mark.guarantee_d
def test_nothing_is_placed_for_a_tenant_that_is_erased(services: ChainServices, call: Call, batch: Batch) -> None:
    services.tenants.erasing.add(TENANT)

    with pytest.raises(DocumentRefusedError, match="erased"):
        call(place_document, batch=batch, file=FILE, task_token="t1")

    assert (services.staged_files.placed, services.imports.awaited(TENANT, DOCUMENT)) == ([], None)


def test_a_file_without_bytes_fails_and_says_so(services: ChainServices, call: Call, batch: Batch) -> None:
    services.staged_files.staged.clear()

    with pytest.raises(DocumentRefusedError) as refused:
        call(place_document, batch=batch, file=FILE, task_token="t1")

    cause = msgspec.json.encode({"errorMessage": str(refused.value)}).decode()
    assert note(call, batch, error="DocumentRefusedError", cause=cause)
    (failure,) = services.imports.get(TENANT, "imp_1").failures
    assert (failure.name, failure.reason) == ("a.txt", "not_uploaded")


def test_a_refused_document_counts_as_failed_with_the_reason_of_its_row(
    services: ChainServices, call: Call, batch: Batch
) -> None:
    failure = Failure(reason="empty", message="there is no text")
    services.documents.refuse(begun(services, 1), failure, execution="one")

    assert [note(call, batch), note(call, batch)] == [True, True]

    record = services.imports.get(TENANT, "imp_1")
    assert (record.failed, record.failures[0].reason) == (1, "empty")


def test_a_document_that_another_execution_ingests_is_waited_for(
    services: ChainServices, call: Call, batch: Batch
) -> None:
    begun(services, 1)
    with pytest.raises(PassagesNotVisibleError):
        note(call, batch, error="StepFunctions.ExecutionAlreadyExistsException", cause="{}")

    publish(services, 1)
    assert not note(call, batch, error="StepFunctions.ExecutionAlreadyExistsException", cause="{}")


def test_a_document_that_was_changed_meanwhile_is_told_as_replaced(
    services: ChainServices, call: Call, batch: Batch
) -> None:
    publish(services, 9, file=replace(FILE, sha256="f" * 64))

    assert note(call, batch)

    assert services.imports.get(TENANT, "imp_1").failures[0].reason == "replaced"


def test_a_document_that_was_deleted_meanwhile_is_told_by_its_id(
    services: ChainServices, call: Call, batch: Batch
) -> None:
    services.documents.close(version(9))

    assert note(call, batch)

    (told,) = services.imports.get(TENANT, "imp_1").failures
    assert (told.reason, told.name) == ("deleted", document_id(TENANT, FILE.name))


@pytest.mark.parametrize(("error", "failed"), [("", False), ("States.Timeout", True)])
def test_a_document_that_lacks_contexts_is_searchable_and_asked_for_again(
    services: ChainServices, call: Call, batch: Batch, error: str, *, failed: bool
) -> None:
    ordering = replace(FILE, metadata={**FILE.metadata, "context-model": "plinth-local"})
    publish(services, 1, contexts=DocumentContexts(model="plinth-local", passages=3, missing=5, cost_micro_usd=0))

    assert note(call, batch, file=ordering, error=error, cause="{}") is failed
    assert call(place_document, batch=batch, file=ordering, task_token="t1")["placed"]


@pytest.mark.parametrize(("error", "state"), [("", "done"), ("States.ExceedToleratedFailureThreshold", "stopped")])
def test_an_import_is_closed_as_done_or_as_stopped(
    services: ChainServices, call: Call, batch: Batch, error: str, state: str
) -> None:
    assert call(close_import, batch=batch, error=error)["state"] == state

    assert services.imports.get(TENANT, "imp_1").state == state
