"""A bucket of somebody else, synced on the stack: objects become documents with their tags, change, and go."""

import time
from uuid import uuid4

import msgspec
import pytest
from typer.testing import CliRunner

from client.api import Question
from client.commands import app
from client.syncs import Pass, SyncStanding
from tests.integration.chances import PAID
from tests.integration.conftest import Deployed
from tests.integration.uploads import PATIENCE_SECONDS, await_absence, passages, settled

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_d]
TENANT, OPERATOR, BUCKET = "synced", "operator", "team-documents"


def command(deployed: Deployed, *arguments: str) -> str:
    """Run `plinth sync` as the operator does; return what it prints."""
    environment = {"PLINTH_HOME": str(deployed.home), "PLINTH_API_KEY": deployed.keys[OPERATOR], "COLUMNS": "200"}
    result = CliRunner().invoke(app, ["sync", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result.output


def passed(deployed: Deployed, sync: SyncStanding, *, after: float = 0.0) -> Pass:
    """Return the pass that began after another, once its last document is ready or refused."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with deployed.api(OPERATOR) as api:
            found = api.get_sync(sync.id)
        if found.last and found.last.at > after and found.state == "waiting":
            return found.last
        time.sleep(0.2)
    raise AssertionError(f"{sync.id} made no pass within {PATIENCE_SECONDS:.0f} s")


def again(deployed: Deployed, sync: SyncStanding, before: Pass) -> Pass:
    command(deployed, "now", sync.id)
    return passed(deployed, sync, after=before.at)


def cited(deployed: Deployed, question: str, **metadata: str) -> list[str]:
    """Ask within documents that carry the metadata; return the names of those that the answer cites."""
    within = {"metadata": {name: [value] for name, value in metadata.items()}}
    with deployed.api(TENANT) as api:
        asked = Question(question=f"{question} [[script:ok:{uuid4().hex}]]", model=PAID, filter=within)
        run = api.create_run(asked)
        assert list(api.events(run.id))
        ended = api.get_run(run.id)
    assert ended.answer is not None, ended.failure
    return [citation.name for citation in ended.answer.citations]


def test_documents_follow_the_objects_of_another_bucket_and_are_found_by_their_path_and_tags(
    deployed: Deployed,
) -> None:
    s3, prefix = deployed.aws("s3"), f"{uuid4().hex}/"
    s3.create_bucket(Bucket=BUCKET)
    for folder, body, tags in (
        ("hr", b"The ferry of Lund leaves at seven on weekdays.", "team=people"),
        ("it", b"The ferry of Lund leaves at nine on holidays.", "team=machines"),
    ):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}{folder}/ferry.txt", Body=body, Tagging=tags)
    s3.put_object(Bucket=BUCKET, Key=f"{prefix}nowhere.txt", Body=b"It lies in no folder.")
    name = {folder: f"{BUCKET}/{prefix}{folder}/ferry.txt" for folder in ("hr", "it")}
    place = f"s3://{BUCKET}/{prefix}"

    command(deployed, "add", place, "--tenant", TENANT, "--pattern", "{department}/")
    listed = msgspec.json.decode(command(deployed, "list", "--tenant", TENANT, "--json"), type=list[SyncStanding])
    (sync,) = (each for each in listed if each.prefix == prefix)
    first = passed(deployed, sync)

    assert (first.seen, first.added, first.ready, first.failed) == (3, 2, 2, 0), first
    assert [(each.name, each.reason) for each in first.refused] == [(f"{BUCKET}/{prefix}nowhere.txt", "path_mismatch")]
    assert "refused: " in command(deployed, "list", "--tenant", TENANT)
    ready = {folder: settled(deployed, name[folder], tenant=TENANT) for folder in name}
    (passage,) = passages(deployed, ready["hr"].document_id)
    assert set(passage["metadata"]) == {"department=hr", "team=people", f"sync={sync.id}"}
    assert cited(deployed, "When does the ferry of Lund leave?", department="it") == [name["it"]]
    assert cited(deployed, "When does the ferry of Lund leave?", team="people") == [name["hr"]]

    s3.put_object(Bucket=BUCKET, Key=f"{prefix}hr/ferry.txt", Body=b"The ferry of Lund is a bridge now.")
    s3.delete_object(Bucket=BUCKET, Key=f"{prefix}it/ferry.txt")
    second = again(deployed, sync, first)

    assert (second.added, second.changed, second.removed, second.held_back) == (0, 1, 1, 0), second
    await_absence(deployed, ready["it"].document_id, tenant=TENANT)
    (passage,) = passages(deployed, ready["hr"].document_id)
    assert "bridge" in passage["text"]
    assert again(deployed, sync, second).changed == 0

    command(deployed, "remove", sync.id, "--erase-documents")
    await_absence(deployed, ready["hr"].document_id, tenant=TENANT)
    assert sync.id not in command(deployed, "list", "--tenant", TENANT)
