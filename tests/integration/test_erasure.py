"""What is erased is in no store any more: a canary is followed into each, erased, and looked for on disk as well."""

import base64
import json
import re
import time
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from client.api import Question
from client.receipts import is_about, public_key_of, verified
from client.records import Erasure
from local import stack
from plinth.adapters.dynamo_facts import DynamoFacts
from plinth.adapters.dynamo_rows import Rows
from plinth.adapters.dynamodb_items import from_attributes
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.erasable_rows import mentions
from plinth.adapters.system_clock import SystemClock
from plinth.contracts.erasing import ErasureState
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from tests.fakes.models import FakeEmbedder
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest, searched_index

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_d]
TABLES = ("Tenants", "Ledger", "Runs", "Conversations", "Documents", "Answers")
BUCKETS = ("DocumentsBucket", "WorkBucket", "ExportsBucket")
PATIENCE_SECONDS = 120
_COMPRESSED = re.compile(rb"eJ[A-Za-z0-9+/]{8,}={0,2}")  # how zlib's output begins in base64


def canary() -> str:
    """Return a word that nothing else holds."""
    return f"canary{uuid4().hex}"


def in_tables(deployed: Deployed, word: str) -> Iterator[str]:
    for table in TABLES:
        for item in deployed.items(table):
            if mentions(from_attributes(item), word):
                yield f"{table} {item['pk']['S']} {item['sk']['S']}"


def in_buckets(deployed: Deployed, word: str) -> Iterator[str]:
    s3 = deployed.aws("s3")
    for bucket in (deployed.info.outputs[each] for each in BUCKETS):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                wanted = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
                body = s3.get_object(**wanted)["Body"].read()
                if word.encode() in body or word in version["Key"]:
                    yield f"{bucket} {version['Key']}"
            yield from (
                f"{bucket} marker {each['Key']}" for each in page.get("DeleteMarkers", []) if word in each["Key"]
            )


def in_index(deployed: Deployed, word: str) -> Iterator[str]:
    client = OpenSearch(deployed.info.outputs["SearchUrl"], opaque_id="test")
    try:
        index = searched_index(deployed)
        query = {"size": 10, "query": {"match": {"text": word}}, "_source": True}
        is_there = client.indices.exists(index=index)  # the first document makes it
        hits = client.search(index=index, body=query)["hits"]["hits"] if is_there else []
        yield from (f"index {hit['_id']}" for hit in hits if word in str(hit["_source"]))
    finally:
        client.close()


def in_logs_and_histories(deployed: Deployed, word: str) -> Iterator[str]:
    logs, sfn = deployed.aws("logs"), deployed.aws("stepfunctions")
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            if word in str(page["events"]):
                yield f"log {group['logGroupName']}"
    for name in ("Ingest", "Erase", "Forget", "Export"):
        machine = deployed.info.outputs[f"{name}MachineArn"]
        for page in sfn.get_paginator("list_executions").paginate(stateMachineArn=machine):
            for execution in page["executions"]:
                history = sfn.get_execution_history(executionArn=execution["executionArn"])["events"]
                if word in str(history):
                    yield f"history {execution['name']}"


def in_queues(deployed: Deployed, word: str) -> Iterator[str]:
    sqs = deployed.aws("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        waiting = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        if word in str(waiting.get("Messages", [])):
            yield f"queue {url}"


def on_disk(deployed: Deployed, word: str) -> Iterator[str]:
    """Look through every file of the stack's home, into compressed parts of the cloud's state too."""
    for file in deployed.home.rglob("*"):
        if not file.is_file() or "layers" in file.parts or "models" in file.parts:
            continue
        body = file.read_bytes()
        if word.encode() in body or (file.suffix == ".json" and any(word.encode() in each for each in _unpacked(body))):
            yield str(file.relative_to(deployed.home))


def _unpacked(body: bytes) -> Iterator[bytes]:
    for found in _COMPRESSED.findall(body):
        try:
            yield zlib.decompress(base64.b64decode(found))
        except (ValueError, zlib.error):
            continue


def everywhere(deployed: Deployed, word: str) -> list[str]:
    looks = (in_tables, in_buckets, in_index, in_queues, in_logs_and_histories)
    return [place for look in looks for place in look(deployed, word)]


def finished(deployed: Deployed, erasure: Erasure, *, reader: str) -> Erasure:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while erasure.state is ErasureState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.3)
        with deployed.api(reader) as api:
            erasure = api.get_erasure(erasure.id)
    assert erasure.state is ErasureState.DONE, erasure
    return erasure


def ask(deployed: Deployed, question: str, *, tenant: str, conversation: str | None = None) -> str:
    with deployed.api(tenant) as api:
        run = api.create_run(Question(question=question, conversation_id=conversation))
        list(api.events(run.id))
        return run.id


def keep_fact(deployed: Deployed, tenant: str, user: str, text: str) -> None:
    dynamodb, name = deployed.aws("dynamodb"), deployed.info.outputs["ConversationsTable"]
    table, rows = Table(client=dynamodb, name=name), Rows(client=dynamodb, name=name)
    facts = DynamoFacts(table=table, rows=rows, clock=SystemClock(), embedder=FakeEmbedder)
    facts.keep(Run(id="run_1", tenant=Tenant(id=tenant), epoch=1, deadline=time.time()), user, text)


def test_a_canary_in_a_document_a_question_a_conversation_and_a_fact_is_in_no_store_after_its_erasure(
    deployed: Deployed,
) -> None:
    told, asked, remembered, kept = canary(), canary(), canary(), canary()
    document = ingest(deployed, "mortal.md", f"# Mortality\n\nThe word is {told}.\n".encode(), tenant="perishable")
    ingest(deployed, "kept.md", f"# Keeping\n\nThe other word is {kept}.\n".encode(), tenant="perishable")
    ingest(deployed, "foreign.md", f"# Foreign\n\nThe word is {kept}.\n".encode(), tenant="rival")
    first = ask(deployed, "What is the word?", tenant="perishable", conversation="talk")
    ask(deployed, "And what was that?", tenant="perishable", conversation="talk")
    ask(deployed, f"Who is {asked}?", tenant="perishable")
    keep_fact(deployed, "perishable", "mia", f"Mia is called {remembered}.")

    # the look finds it in each store that holds content, so that finding nothing means something
    stores = {place.split()[0] for word in (told, asked, remembered) for place in everywhere(deployed, word)}
    assert {"Runs", "Conversations", "index", deployed.info.outputs["DocumentsBucket"]} <= stores

    with deployed.api("perishable") as api:
        erasure = api.get_erasure(api.delete_document(document.document_id))
    done = finished(deployed, erasure, reader="perishable")
    assert everywhere(deployed, told) == []
    assert everywhere(deployed, kept)
    assert done.receipt
    content = json.dumps({"document": done.receipt.document, "signature": done.receipt.signature, "key_id": ""})
    key = public_key_of(deployed.aws("kms"), deployed.info.outputs["ReceiptsKeyArn"])
    receipt = verified(content.encode(), public_key=key)
    assert is_about(receipt, document.document_id)
    assert receipt.removed["runs"] > 0
    with deployed.http("perishable") as http:
        assert http.get(f"/v1/runs/{first}").status_code == 404

    with deployed.api("operator") as api:
        by_operator = api.delete_tenant("perishable")
    with deployed.http("perishable") as http:
        assert http.get("/v1/documents").status_code == 401
    finished(deployed, by_operator, reader="operator")
    for word in (told, asked, remembered):
        assert everywhere(deployed, word) == []
    assert {place.split()[0] for place in everywhere(deployed, kept)} >= {"index"}  # the other tenant's stays
    assert not [item for table in TABLES for item in deployed.items(table) if "perishable#" in item["pk"]["S"]]

    assert stack.down(deployed.home)
    on_files = {word: list(on_disk(deployed, word)) for word in (told, asked, remembered)}
    control = list(on_disk(deployed, kept))
    deployed.up()
    assert control
    assert on_files == {told: [], asked: [], remembered: []}


@pytest.mark.guarantee_e
def test_a_user_who_is_erased_leaves_the_tenants_sums_and_the_others_alone(deployed: Deployed) -> None:
    word, kept = canary(), canary()
    ask(deployed, f"Who is {word}?", tenant="passing", conversation="mine")
    ask(deployed, f"Who is {kept}?", tenant="rival")

    with deployed.api("petra") as api:
        erasure = api.delete_user("pat")
    done: Any = finished(deployed, erasure, reader="operator")

    assert done.removed["runs"] > 0
    assert everywhere(deployed, word) == []
    assert everywhere(deployed, kept)
    assert not [item for item in deployed.items("Tenants") if item.get("user", {}).get("S") == "pat"]
