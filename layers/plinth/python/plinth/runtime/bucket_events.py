"""Which machine an event of the documents bucket starts: `ingest` for a new version, `erase` for a deletion.

Events arrive from EventBridge through SQS; the object's key is `<tenant>/<name>`.
Source: Amazon S3 user guide, EventBridge event message structure.
"""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from plinth.contracts.memory import DocumentVersion
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id, sequence
from plinth.runtime.imports import COPIED, hand_over
from plinth.wiring import Services

DELETED = "Delete Marker Created"
"""The one kind of deletion that takes a document away: removing an old version, by hand or by age, does not."""


class _Object(msgspec.Struct, rename="kebab"):
    key: str
    sequencer: str
    size: int = 0
    version_id: str | None = None


class _Detail(msgspec.Struct, rename="kebab"):
    object: _Object
    reason: str = ""
    deletion_type: str = ""


class BucketEvent(msgspec.Struct, rename="kebab"):
    """The part of an S3 event that decides: what happened, to which version of which object."""

    detail_type: str
    detail: _Detail


def start_machines(event: dict[str, Any], services: Services) -> dict[str, Any]:
    """Start one machine per record; return SQS's partial batch response, which names the records to deliver again."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def start(record: SQSRecord) -> None:
        start_machine(msgspec.json.decode(record.body, type=BucketEvent), services)

    with processor(event["Records"], start):
        processor.process()
    return dict(processor.response())


def start_machine(event: BucketEvent, services: Services) -> None:
    """Start the machine; an object outside any tenant's prefix is nobody's document and starts none."""
    document = document_version(event.detail.object)
    if document is None:
        return
    if event.detail_type == "Object Created":
        if event.detail.reason == COPIED and hand_over(document, services):
            return
        services.machines.start_ingest(document)
    elif event.detail.deletion_type == DELETED:
        services.machines.start_erase(document)


def document_version(stored: _Object) -> DocumentVersion | None:
    """Return the version that an event tells of, or None where the key names no tenant or no document."""
    prefix, _, name = stored.key.partition("/")
    try:
        tenant = Tenant(id=prefix)
    except ValueError:
        return None
    if not name or name.endswith("/"):
        return None
    return DocumentVersion(
        tenant=tenant,
        document_id=document_id(tenant, name),
        name=name,
        object_key=stored.key,
        version_id=stored.version_id,
        sequence=sequence(stored.sequencer),
        size_bytes=stored.size,
    )
