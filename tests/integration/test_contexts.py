"""Contexts on the deployed stack: ordered over HTTP, written by a scripted provider, paid, searched and not told."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from client.api import PlinthApi, Question
from client.commands import app
from plinth.contracts.memory import DocumentRecord
from plinth.money.prices import cost_micro_usd, price_of
from tests.fakes.providers import ProviderServer
from tests.integration.conftest import Deployed
from tests.integration.uploads import passages, settled

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_b]
MODEL, TENANT = "claude-haiku-5-5", "placed"


@pytest.fixture
def api(deployed: Deployed) -> Iterator[PlinthApi]:
    with deployed.api(TENANT) as made:
        yield made


def text(plan: str, token: str, *, more: str = "") -> bytes:
    return f"# Herds\n\nThey graze at dawn. [[script:{plan}:{token}]] {more}\n".encode()


def uploaded(deployed: Deployed, name: str, body: bytes, **fields: Any) -> DocumentRecord:
    """Announce a document with contexts, send its bytes, and return it once it is ready or refused."""
    asked = {"name": name, "content_type": "text/markdown", "size_bytes": len(body), "context_model": MODEL, **fields}
    with deployed.http(TENANT) as http:
        announced = http.post("/v1/documents", json=asked).json()
    upload = announced["upload"]
    httpx.request(upload["method"], upload["url"], headers=upload["headers"], content=body).raise_for_status()
    return settled(deployed, name, tenant=TENANT)


def billed(provider: ProviderServer, token: str) -> int:
    return sum(cost_micro_usd(price_of(model), usage) for model, usage in provider.books.bills(token))


def test_a_context_is_paid_once_counted_everywhere_and_searched_but_not_told(
    deployed: Deployed, provider: ProviderServer, api: PlinthApi
) -> None:
    token, before = uuid4().hex, api.usage(by="step")
    document = uploaded(deployed, "herds.md", text("not_json+placed", token))

    assert document.contexts is not None
    assert (document.contexts.passages, document.contexts.missing) == (1, 0)
    assert document.contexts.cost_micro_usd == billed(provider, token) > 0
    after = api.usage(by="step")
    assert after.total.model_cost_micro_usd - before.total.model_cost_micro_usd == billed(provider, token)
    assert {line.name: line.calls for line in after.lines}["WriteContexts"] >= 2
    (stored,) = passages(deployed, document.document_id)
    assert stored["context"] == "It is about zebras of the savannah."
    assert "zebra" not in (stored["text"] + stored["above"]).lower()

    asked = api.create_run(Question(question=f"Which zebras graze? [[script:ok:{uuid4().hex}]]", model=MODEL))
    list(api.events(asked.id))
    answer = api.get_run(asked.id).answer
    assert answer is not None
    assert "savannah" not in "".join(each.text for each in answer.citations)
    assert not any("savannah" in str(row) for row in deployed.items("Answers"))


def test_a_new_version_of_the_same_text_pays_nothing(deployed: Deployed, provider: ProviderServer) -> None:
    token = uuid4().hex
    body = text("placed", token)
    first = uploaded(deployed, "same.md", body)
    assert first.contexts is not None
    paid = billed(provider, token)

    deployed.aws("s3").put_object(
        Bucket=deployed.info.outputs["DocumentsBucket"],
        Key=f"{TENANT}/same.md",
        Body=body,
        Metadata={"context-model": MODEL},
    )
    again = replaced(deployed, "same.md", first)

    assert paid == billed(provider, token) > 0
    assert again.contexts is not None
    assert (again.contexts.passages, again.contexts.cost_micro_usd) == (1, 0)
    assert again.content_sha256 == hashlib.sha256(body).hexdigest()


def replaced(deployed: Deployed, name: str, before: DocumentRecord) -> DocumentRecord:
    """Return the document once another generation is live."""
    for _ in range(90):
        found = settled(deployed, name, tenant=TENANT)
        if found.generation != before.generation:
            return found
        time.sleep(1)
    raise AssertionError(f"{name} kept its generation")


def test_what_may_cost_more_than_allowed_is_refused_with_the_amount_and_the_old_version_stays(
    deployed: Deployed, provider: ProviderServer
) -> None:
    token = uuid4().hex
    key, bucket = f"{TENANT}/dear.md", deployed.info.outputs["DocumentsBucket"]
    metadata = {"context-model": MODEL, "context-most-micro-usd": "1"}
    deployed.aws("s3").put_object(Bucket=bucket, Key=key, Body=text("placed", token), Metadata=metadata)

    refused = settled(deployed, "dear.md", tenant=TENANT)

    assert (refused.state, refused.reason) == ("refused", "contexts_too_dear")
    assert "max_context_cost_micro_usd" in (refused.message or "")
    assert billed(provider, token) == 0


def test_a_folder_is_priced_before_anything_is_sent_and_then_imported_with_contexts(
    deployed: Deployed, provider: ProviderServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = uuid4().hex
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_bytes(text("placed", token, more=name))
    monkeypatch.setenv("PLINTH_HOME", str(deployed.home))
    monkeypatch.setenv("PLINTH_API_KEY", deployed.keys[TENANT])
    ingest = ["ingest", str(tmp_path), "--context-model", MODEL]

    too_dear = CliRunner().invoke(app, [*ingest, "--max-cost", "0.000001"])
    unasked = CliRunner().invoke(app, ingest, input="n\n")
    sent = CliRunner().invoke(app, [*ingest, "--yes"])

    assert "may cost" in str(too_dear.exception or too_dear.output)
    assert (too_dear.exit_code, unasked.exit_code) != (0, 0)
    assert "contexts by claude-haiku-5-5: about $0.0" in sent.output
    assert sent.exit_code == 0, sent.output
    with deployed.api(TENANT) as api:
        made = [each.contexts for each in api.documents() if each.name in ("one.md", "two.md")]
    assert [each.passages for each in made if each] == [1, 1]
    assert sum(each.cost_micro_usd for each in made if each) == billed(provider, token) > 0
