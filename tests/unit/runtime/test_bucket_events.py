"""Which events of the documents bucket start which machine."""

import json
from typing import Any

import pytest

from plinth.memory.naming import sequence
from plinth.runtime.bucket_events import start_machines
from plinth.wiring import Services
from tests.fakes.objects import FakeMachines


def event(kind: str, key: str = "acme/a b/größe.txt", **detail: str) -> dict[str, Any]:
    body = {
        "detail-type": kind,
        "detail": {"object": {"key": key, "sequencer": "0af1", "size": 3, "version-id": "v1"}, **detail},
    }
    return {"messageId": kind, "body": json.dumps(body)}


@pytest.fixture
def services() -> Services:
    made = Services()
    made.machines = FakeMachines()
    return made


def start(services: Services, *records: dict[str, Any]) -> list[str]:
    answer = start_machines({"Records": list(records)}, services)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_created_object_starts_its_ingestion_with_its_tenant_name_and_version(services: Services) -> None:
    assert start(services, event("Object Created")) == []

    (document,) = services.machines.ingests.values()
    assert (document.tenant.id, document.name, document.version_id) == ("acme", "a b/größe.txt", "v1")
    assert document.sequence == sequence("0af1")


def test_a_delete_marker_starts_the_erasure(services: Services) -> None:
    start(services, event("Object Deleted", **{"deletion-type": "Delete Marker Created"}))

    assert len(services.machines.erasures) == 1


@pytest.mark.guarantee_d
def test_removing_an_old_version_by_hand_or_by_age_erases_no_document(services: Services) -> None:
    start(services, event("Object Deleted", **{"deletion-type": "Permanently Deleted"}))

    assert services.machines.erasures == {}


@pytest.mark.parametrize("key", ["no-slash", "Upper/a.txt", "acme/", "acme/folder/", "/a.txt"])
def test_an_object_that_is_no_tenants_document_starts_nothing(services: Services, key: str) -> None:
    assert start(services, event("Object Created", key)) == []
    assert services.machines.ingests == {}


def test_a_message_that_fails_is_returned_alone(services: Services) -> None:
    broken = {"messageId": "broken", "body": "{"}

    assert start(services, broken, event("Object Created")) == ["broken"]
    assert len(services.machines.ingests) == 1
