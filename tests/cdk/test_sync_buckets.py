"""A bucket of somebody else is read by the functions that sync it, if cdk.json lists it, and by nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk.environments import UnknownEnvironmentError
from cdk.sync_buckets import sync_buckets
from tests.cdk.assemblies import Assembly, as_list, synthesize
from tests.cdk.conftest import Synthesized

ARN = "arn:aws:s3:::team-documents"


@pytest.fixture(scope="module")
def syncing(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Return a deployed environment that may sync one bucket."""
    folder: Path = tmp_path_factory.mktemp("syncing")
    return synthesize("dev", folder, sync_buckets={"dev": [ARN]})


def rights(assembly: Assembly) -> Iterator[tuple[str, str, str]]:
    """Yield function, action and resource of every right on a bucket that is named by its ARN."""
    for name, statement in assembly.statements():
        for resource in as_list(statement["Resource"]):
            if isinstance(resource, str) and resource.startswith(ARN):
                for action in as_list(statement["Action"]):
                    yield name.partition("/")[2].partition("RoleDefaultPolicy")[0], action, resource


def test_a_listed_bucket_is_listed_by_the_sync_and_read_by_who_copies_and_written_by_nobody(syncing: Assembly) -> None:
    assert set(rights(syncing)) == {
        ("SyncDocuments", "s3:ListBucket", ARN),
        ("PlaceDocument", "s3:ListBucket", ARN),
        ("PlaceDocument", "s3:GetObject", f"{ARN}/*"),
        ("PlaceDocument", "s3:GetObjectTagging", f"{ARN}/*"),
    }


def test_the_functions_that_ask_which_buckets_there_are_know_their_names(syncing: Assembly) -> None:
    told = {
        name.partition("/")[2].partition("Function")[0]
        for name, function in syncing.resources("AWS::Lambda::Function").items()
        if function["Properties"].get("Environment", {}).get("Variables", {}).get("PLINTH_SYNC_BUCKETS")
    }
    assert {"Api", "SyncDocuments"} <= told <= {"Api", "SyncDocuments", "PlaceDocument"}


def test_the_reason_for_reading_any_object_of_it_is_acknowledged(syncing: Assembly) -> None:
    assert [each for each in syncing.findings if "IAM5" in each] == []


def test_without_a_listed_bucket_there_is_no_right_on_any(synthesized: Synthesized) -> None:
    assert set(rights(synthesized("prod"))) == set()


@pytest.mark.parametrize("odd", ["team-documents", "arn:aws:s3:::*", "arn:aws:s3:::team/*", "arn:aws:s3:::Team"])
def test_what_is_no_arn_of_one_bucket_is_refused_with_an_example(odd: str) -> None:
    with pytest.raises(UnknownEnvironmentError, match=r"arn:aws:s3:::team-documents"):
        sync_buckets({"dev": [odd]}, "dev")


def test_a_sandbox_syncs_what_is_listed_for_sandboxes() -> None:
    listed = {"sandbox": [ARN]}

    assert sync_buckets(listed, "sandbox-ann") == (ARN,)
    assert sync_buckets(listed, "prod") == ()
    assert sync_buckets(None, "prod") == ()
