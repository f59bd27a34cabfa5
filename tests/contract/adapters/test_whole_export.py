"""A whole export by its own steps, over real stores: all of the tenant's, nothing of the neighbour's, no secret."""

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from plinth.contracts.erasing import Extent, Target
from plinth.contracts.exporting import Subject
from plinth.contracts.memory import Content
from plinth.contracts.runs import Run, RunRequest, Turn
from plinth.errors import NotFoundError
from plinth.memory.naming import document_id, name_fault, object_key
from tests.contract.adapters.test_whole_erasure import erase
from tests.contract.adapters.two_tenants import EXPORT, RUN, USER, Two

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.guarantee_e


def folders(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return what each folder holds in all."""
    found: dict[str, bytes] = {}
    for path, body in files.items():
        found[path.partition("/")[0]] = found.get(path.partition("/")[0], b"") + body
    return found


def test_an_export_has_what_was_in_every_store_and_nothing_of_the_neighbour(two: Two) -> None:
    two.furnish(two.other, run_id=RUN, words="canaryword sings", copies=2)

    files = two.exported(Subject(tenant=two.other))

    told = folders(files)
    assert set(told) == {
        "settings", "keys", "document_rows", "documents", "conversations", "summaries", "facts", "runs", "usage",
        "budgets", "syncs", "manifest.json",
    }  # fmt: skip
    for folder in ("documents", "conversations", "summaries", "facts"):
        assert b"canaryword sings" in told[folder]
    (run,) = map(json.loads, told["runs"].splitlines())
    assert run["run"]["answer"]["text"] == "Because of a secret."
    assert [each["event"]["type"] for each in run["events"]] == ["run.accepted", "receipt", "run.ended"]
    everything = b"".join(files.values())
    assert b"peaches" not in everything
    assert two.asking.id.encode() not in everything
    assert b"secret_sha256" not in everything
    manifest = json.loads(files["manifest.json"])
    assert {each["path"]: each["sha256"] for each in manifest["files"]} == {
        path: hashlib.sha256(body).hexdigest() for path, body in files.items() if path != "manifest.json"
    }


def test_an_export_of_a_user_has_nothing_of_another_user(two: Two) -> None:
    two.furnish(two.other, run_id=RUN, words="canaryword sings", copies=1)
    services, now = two.services, two.clock.now()
    theirs = Run(id="run_" + "c" * 26, tenant=two.other, epoch=1, deadline=now + 270)
    services.runs.accept(theirs, RunRequest(question="whatbob?", model="plinth-local", user="bob"), None)
    services.conversations.append(theirs, "bob", "talk", Turn(question="whatbob?", answer="bobword", at=now))
    services.facts.keep(theirs, "bob", "bobword")

    of_ann = two.exported(Subject(tenant=two.other, user=USER))
    of_bob = two.exported(Subject(tenant=two.other, user="bob"))

    assert b"bob" not in b"".join(of_ann.values())
    told = folders(of_bob)
    assert set(told) == {"conversations", "facts", "runs", "manifest.json"}
    assert b"ann" not in b"".join(body for name, body in told.items() if name != "manifest.json")
    assert b"canaryword" in folders(of_ann)["conversations"]


def test_a_document_whose_name_leaves_no_room_in_a_key_is_exported_by_its_id(two: Two, s3: "S3Client") -> None:
    name = "/".join(["文" * 80] * 4) + "x"
    assert name_fault(two.other, name) is None
    bucket = two.services.settings.documents_bucket
    s3.put_object(Bucket=bucket, Key=object_key(two.other, name), Body=b"long")

    files = two.exported(Subject(tenant=two.other))

    path = f"documents_by_id/{document_id(two.other, name)}"
    assert files[path] == b"long"
    listed = json.loads(files["manifest.json"])["files"]
    assert {each["path"]: each["name"] for each in listed if each["name"]} == {path: name}


@pytest.mark.guarantee_d
def test_a_document_that_is_being_deleted_is_in_no_export(two: Two) -> None:
    two.furnish(two.other, run_id=RUN, words="canaryword sings", copies=1)
    version, documents = two.version(two.other), two.services.documents
    documents.begin(version, execution="one")
    documents.publish(version, Content(title="Guide", passages=1))
    documents.hide(two.other, version.document_id)

    told = folders(two.exported(Subject(tenant=two.other)))

    assert "documents" not in told
    assert "document_rows" not in told


@pytest.mark.guarantee_d
@pytest.mark.parametrize("extent", list(Extent))
def test_whatever_is_erased_takes_the_tenants_exports_with_it(
    two: Two, dynamodb: "DynamoDBClient", s3: "S3Client", extent: Extent
) -> None:
    two.furnish(two.other, run_id=RUN, words="canaryword sings", copies=1)
    two.settle(two.other)
    assert two.exported(Subject(tenant=two.other))
    names = {Extent.TENANT: two.other.id, Extent.USER: USER, Extent.DOCUMENT: "doc_" + "0" * 24}

    target = Target(extent=extent, tenant=two.other, name=names[extent], object_name="absent.md")
    receipt = json.loads(erase(two, target)["document"])

    assert receipt["removed"]["exports"] > 0
    bucket, prefix = two.services.settings.exports_bucket, f"tenants/{two.other.id}/"
    assert not s3.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions")
    with pytest.raises(NotFoundError):
        two.services.exporting.jobs.get(two.other, EXPORT)
