"""A stack that was stopped comes back with everything in it."""

import pytest

from client.api import Question
from local import stack
from plinth.contracts.events import RunEnded
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest, passages

pytestmark = pytest.mark.integration


def test_a_restart_keeps_documents_runs_keys_and_passages(deployed: Deployed) -> None:
    document = ingest(deployed, "kept.txt", b"This is kept across a restart.")
    with deployed.api() as api:
        run = api.create_run(Question(question="What is kept?"))
        before = [entry.seq for entry in api.events(run.id)]

    assert stack.down(deployed.home)
    assert not stack.status(deployed.home).running
    deployed.up()

    assert [each["text"] for each in passages(deployed, document.document_id)] == ["This is kept across a restart."]
    with deployed.api() as api:
        assert api.get_document(document.document_id).state == "ready"
        assert [entry.seq for entry in api.events(run.id)] == before
        after = api.create_run(Question(question="What is still kept?"))
        assert isinstance(list(api.events(after.id))[-1].event, RunEnded)
    assert ingest(deployed, "new.txt", b"Events still arrive.").state == "ready"
