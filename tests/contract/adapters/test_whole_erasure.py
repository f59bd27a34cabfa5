"""A whole erasure by its own steps, over real stores: what was everywhere is nowhere, and the neighbour keeps all."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from opensearchpy import OpenSearch

from client.receipts import public_key_of, verified
from functions.erase_index.handler import erase_index
from functions.erase_objects.handler import erase_objects
from functions.erase_rows.handler import erase_rows
from functions.sign_receipt.handler import sign_receipt
from plinth.adapters.dynamo_rows import Rows
from plinth.adapters.erasable_rows import mentions
from plinth.contracts.erasing import Extent, Target
from plinth.runtime import step
from plinth.runtime.erasures import begin_erasure
from plinth.wiring.searching import newest_index
from tests.contract.adapters.two_tenants import RUN, USER, Two

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.guarantee_d
CONTEXT = cast("Any", SimpleNamespace(aws_request_id="request-1", memory_limit_in_mb=256))
PASSES = 5
TABLES = ("tenants", "ledger", "runs", "conversations", "documents", "answers")


def holding(two: Two, word: str, dynamodb: "DynamoDBClient", s3: "S3Client") -> Iterator[str]:
    """Yield every table, bucket and index that holds the word, compressed or not."""
    settings = two.services.settings
    for table in (getattr(settings, f"{name}_table") for name in TABLES):
        rows, _ = Rows(client=dynamodb, name=table).page(None, limit=1000)
        yield from (f"{table} {row['sk']}" for row in rows if mentions(row, word))
    for bucket in (settings.documents_bucket, settings.work_bucket, settings.exports_bucket):
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            wanted = {"Key": version.get("Key", ""), "VersionId": version.get("VersionId", "")}
            if word.encode() in s3.get_object(Bucket=bucket, **wanted)["Body"].read():
                yield f"bucket {wanted['Key']}"
    client = OpenSearch(settings.opensearch_url)
    found = client.search(index=str(newest_index(settings)), body={"size": 100, "query": {"match": {"text": word}}})
    yield from (f"index {hit['_id']}" for hit in found["hits"]["hits"] if word in hit["_source"]["text"])
    client.close()


def erase(two: Two, target: Target) -> dict[str, Any]:
    """Go through the machine's steps until the receipt is signed; return it, its signature checked."""
    erasure = begin_erasure(target, two.services)
    two.clock.advance(400)
    for _ in range(PASSES):
        for each in (erase_objects, erase_index, erase_rows):
            while not _called(each, two, erasure.id)["done"]:
                pass
        if _called(sign_receipt, two, erasure.id)["signed"]:
            break
        two.clock.advance(60)
    signed = two.services.erasing.erasures.get(erasure.id).receipt
    assert signed, "no pass found nothing"
    return {"document": signed.document, "signature": signed.signature, "key_id": signed.key_id}


def _called(function: Any, two: Two, erasure_id: str) -> dict[str, Any]:
    result: dict[str, Any] = step(function, services=two.services)({"erasure_id": erasure_id}, CONTEXT)["result"]
    return result


@pytest.mark.parametrize("extent", [Extent.TENANT, Extent.USER])
def test_what_was_in_every_store_is_in_none_and_the_neighbour_keeps_all_of_it(
    two: Two, dynamodb: "DynamoDBClient", s3: "S3Client", extent: Extent
) -> None:
    two.furnish(two.other, run_id=RUN, words="canaryword sings", copies=2)
    before = {place.split()[0] for place in holding(two, "canaryword", dynamodb, s3)}
    kept = sorted(holding(two, "peaches", dynamodb, s3))
    assert {two.services.settings.conversations_table, "bucket", "index"} <= before

    name = two.other.id if extent is Extent.TENANT else USER
    two.settle(two.other)
    receipt = erase(two, Target(extent=extent, tenant=two.other, name=name))

    left = [place.split()[0] for place in holding(two, "canaryword", dynamodb, s3)]
    documents_stay = {"bucket", "index"} if extent is Extent.USER else set()
    assert set(left) == documents_stay  # documents are the tenant's own, whoever brought them
    assert sorted(holding(two, "peaches", dynamodb, s3)) == kept
    assert bool(two.services.syncs.of(two.other)) == (extent is Extent.USER)
    kms = boto3.client("kms")
    key = public_key_of(kms, two.services.settings.receipts_key_id)
    told = verified(json.dumps(receipt).encode(), public_key=key)
    assert {"runs", "conversations", "answers", "ledger"} <= set(told.removed)
