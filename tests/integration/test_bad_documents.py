"""Files that can't be read end with a reason, in the list and in the dead-letter queue, and the stack goes on."""

import json
import time

import pytest

from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest, put, settled

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_d]
MEGABYTE = 1024 * 1024
BAD = {
    "empty.txt": (b"", "empty"),
    "fake.pdf": (b"not a PDF at all", "not_a_pdf"),
    "bomb.zip": (b"PK\x03\x04" + bytes(1000), "unsupported_format"),
    "deep.html": (b"<div>" * 200_000, "too_deep"),
    "noise.md": (bytes(range(256)) * 64, "not_text"),
    "bücher/größe & mehr/ноль.txt": (b"  \n ", "empty"),
    "large.txt": (b"x" * (300 * MEGABYTE), "too_large"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(deployed: Deployed, name: str) -> None:
    body, reason = BAD[name]
    put(deployed, name, body)

    document = settled(deployed, name)

    assert (document.state, document.reason) == ("refused", reason)
    assert document.message


def test_each_refused_document_is_in_the_dead_letter_queue_with_its_reason(deployed: Deployed) -> None:
    put(deployed, "letter.pdf", b"not a PDF at all")
    refused = settled(deployed, "letter.pdf")

    queue, sqs = deployed.info.outputs["RefusedDocumentsQueueUrl"], deployed.aws("sqs")
    deadline, letters = time.monotonic() + 30, {}
    while refused.document_id not in letters and time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        ):
            letter = json.loads(message["Body"])
            letters[letter["document"]["document_id"]] = letter["reason"]

    assert letters[refused.document_id] == "not_a_pdf"


def test_a_name_with_unicode_and_slashes_is_kept_as_it_is(deployed: Deployed) -> None:
    name = "Bücher/größe & mehr/ноль + 1.txt"

    assert ingest(deployed, name, "Die Größe ist null.".encode()).name == name


def test_an_object_outside_any_tenants_prefix_is_nobodys_document_and_harms_nothing(deployed: Deployed) -> None:
    deployed.aws("s3").put_object(Bucket=deployed.info.outputs["DocumentsBucket"], Key="NoTenant/x.txt", Body=b"x")

    assert ingest(deployed, "after-the-stray.txt", b"Still at work.").state == "ready"
