"""A document that failed is taken up again by hand; uploads and deletions whose event was lost, by the sync."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import uuid4

import msgspec
import pytest
from typer.testing import CliRunner

from client.api import Question
from client.commands import app
from plinth.contracts.memory import DocumentRecord
from tests.integration.chances import PAID, chances
from tests.integration.conftest import Deployed
from tests.integration.uploads import await_absence, ingest, passages, put, settled

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_d]
TENANT, UNHEARD = "redriven", "unheard"
"""Tenants of their own, so that an answer can come from nothing else."""


def command(deployed: Deployed, *arguments: str) -> str:
    """Run `plinth` as the tenant's user does; return what it prints."""
    environment = {"PLINTH_HOME": str(deployed.home), "PLINTH_API_KEY": deployed.keys[TENANT], "COLUMNS": "200"}
    result = CliRunner().invoke(app, list(arguments), env=environment)
    assert result.exit_code == 0, result.output
    return result.output


def cited(deployed: Deployed, question: str) -> list[str]:
    """Ask, and return the names of the documents that the answer cites."""
    with deployed.api(TENANT) as api:
        run = api.create_run(Question(question=f"{question} [[script:ok:{uuid4().hex}]]", model=PAID))
        assert list(api.events(run.id))
        ended = api.get_run(run.id)
    assert ended.answer is not None, ended.failure
    return [citation.name for citation in ended.answer.citations]


def test_a_document_that_failed_is_listed_with_its_reason_redriven_and_answered_from(deployed: Deployed) -> None:
    name = f"redriven-{uuid4().hex}.txt"
    s3, place = deployed.aws("s3"), {"Bucket": deployed.info.outputs["DocumentsBucket"], "Key": f"{TENANT}/{name}"}
    body = b"The heron pump of Varnesk is oiled with linseed on the first of May."
    s3.put_object(**place, Body=body, Tagging="access=no%20label%21")
    refused = settled(deployed, name, tenant=TENANT)

    assert (refused.state, refused.reason, len(refused.attempted_at)) == ("refused", "bad_metadata", 1)
    listed = msgspec.json.decode(command(deployed, "documents", "--refused", "--json"), type=list[DocumentRecord])
    assert refused in listed
    s3.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "team", "Value": "pumps"}]})
    assert "1 of 1 documents are ready" in command(deployed, "documents", "redrive", name)
    ready = settled(deployed, name, tenant=TENANT)
    assert (ready.state, len(ready.attempted_at), ready.reason) == ("ready", 2, None)
    assert cited(deployed, "With what is the heron pump of Varnesk oiled?") == [name]


@contextmanager
def impatient_sync(deployed: Deployed) -> Generator[Callable[[], None]]:
    """Let the sync leave nothing alone for longer than a second; yield what calls it as its schedule does."""
    functions, name = deployed.aws("lambda"), deployed.function("SyncDocuments")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def sync() -> None:
        answer = functions.invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    hurried = {**variables, "PLINTH_SYNC_SETTLE_SECONDS": "1"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": hurried})
    try:
        yield sync
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_an_upload_whose_event_was_lost_is_found_by_the_sync(deployed: Deployed) -> None:
    name = f"unheard-{uuid4().hex}.txt"
    body = b"The bell of Ostrava tower is rung by a crank of ash wood."
    with chances(deployed, lost_events=1.0):
        put(deployed, name, body, tenant=UNHEARD)
        time.sleep(2)
    with deployed.api(UNHEARD) as api:
        assert name not in {each.name for each in api.documents()}

    with impatient_sync(deployed) as sync:
        sync()
        assert settled(deployed, name, tenant=UNHEARD).state == "ready"


def test_a_deletion_whose_event_was_lost_is_found_by_the_sync(deployed: Deployed) -> None:
    name = f"unmourned-{uuid4().hex}.txt"
    document = ingest(deployed, name, b"The dovecote of Ostrava was moved stone by stone.", tenant=UNHEARD)
    with chances(deployed, lost_events=1.0):
        deployed.aws("s3").delete_object(Bucket=deployed.info.outputs["DocumentsBucket"], Key=f"{UNHEARD}/{name}")
        time.sleep(2)
    with deployed.api(UNHEARD) as api:
        assert name in {each.name for each in api.documents()}
    assert passages(deployed, document.document_id)

    with impatient_sync(deployed) as sync:
        sync()
        await_absence(deployed, document.document_id, tenant=UNHEARD)
