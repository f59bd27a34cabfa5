"""A tenant gets all of its data and nothing of others': canaries are followed through every store into the export."""

import time
from pathlib import Path

import pytest

from client.api import PlinthApi
from client.exports import saved
from client.records import Export
from plinth.contracts.exporting import ExportState
from plinth.memory.stores import STORES
from tests.integration.conftest import Deployed
from tests.integration.test_erasure import ask, canary, everywhere, keep_fact
from tests.integration.uploads import ingest
from tests.registered_stores import exported_stores

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_e]
PATIENCE_SECONDS = 90
_STORES = {"Tenants": "tenants", "Ledger": "ledger", "Runs": "runs", "Conversations": "conversations"} | {
    "Documents": "documents",
    "Answers": "answers",
    "index": "passages",
}


def ended(api: PlinthApi, export: Export) -> Export:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while export.state is ExportState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.3)
        export = api.get_export(export)
    assert export.state is ExportState.DONE, export
    return export


def words_in(folder: Path, word: str) -> set[str]:
    """Return the folders of the export that hold the word."""
    files = (file for file in folder.rglob("*") if file.is_file() and word.encode() in file.read_bytes())
    return {file.relative_to(folder).parts[0] for file in files}


def stores_of(deployed: Deployed, word: str) -> set[str]:
    """Return the stores of the registry in which the erasure's look finds the word."""
    buckets = {deployed.info.outputs["DocumentsBucket"]: "sources", deployed.info.outputs["WorkBucket"]: "work"}
    buckets[deployed.info.outputs["ExportsBucket"]] = "exports"
    places = {place.split()[0] for place in everywhere(deployed, word)}
    return {(_STORES | buckets)[place] for place in places}


def test_every_canary_of_a_tenant_is_in_its_export_and_none_of_another(deployed: Deployed, tmp_path: Path) -> None:
    told, asked, remembered, foreign = canary(), canary(), canary(), canary()
    ingest(deployed, "guides/leaving.md", f"# Leaving\n\nThe word is {told}.\n".encode(), tenant="leaving")
    ingest(deployed, "foreign.md", f"# Foreign\n\nThe word is {foreign}.\n".encode(), tenant="rival")
    ask(deployed, "What is the word?", tenant="leaving", conversation="talk")
    ask(deployed, f"Who is {asked}?", tenant="leaving", conversation="talk")
    keep_fact(deployed, "leaving", "lou", f"Lou is called {remembered}.")
    held = {word: stores_of(deployed, word) for word in (told, asked, remembered)}

    with deployed.api("leaving") as api:
        export = ended(api, api.create_export())
        manifest = saved(api.export_files(export), tmp_path)

    assert words_in(tmp_path, told) >= {"documents"}
    assert words_in(tmp_path, asked) == {"conversations", "runs"}
    assert words_in(tmp_path, remembered) == {"facts"}
    assert words_in(tmp_path, foreign) == set()
    assert words_in(tmp_path, "rival") == set()
    assert (tmp_path / "documents/guides/leaving.md").read_text() == f"# Leaving\n\nThe word is {told}.\n"
    # whatever store held a canary is exported, or the manifest says why it is not
    for stores in held.values():
        assert stores <= exported_stores() | set(manifest.not_exported)
    assert set(manifest.not_exported) == {store.name for store in STORES} - exported_stores()
    assert manifest.records["runs"] >= 2
    with deployed.http("rival") as http:
        assert http.get(f"/v1/exports/{export.id}").status_code == 403


def test_what_a_key_must_not_tell_is_in_no_export(deployed: Deployed, tmp_path: Path) -> None:
    ask(deployed, "Why?", tenant="leaving")
    hashes = [item["secret_sha256"]["S"] for item in deployed.items("Tenants") if "secret_sha256" in item]

    with deployed.api("leaving") as api:
        saved(api.export_files(ended(api, api.create_export(user="lou"))), tmp_path)

    assert hashes
    assert [word for word in hashes if words_in(tmp_path, word)] == []
    assert {path.name for path in tmp_path.iterdir()} >= {"keys", "runs", "manifest.json"}
    assert not (tmp_path / "documents").exists()  # they are the tenant's own
