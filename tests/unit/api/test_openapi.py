"""The API's description: generated, served, committed, and true to what the API does."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from docs.generate import generated, stale
from plinth.contracts.events import Event
from tests.unit.access.world import World
from tests.unit.api.client import Client


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Read the OpenAPI document."""
    return msgspec.json.decode(generated()["openapi.json"], type=dict[str, Any])


def test_the_committed_descriptions_are_what_the_code_says() -> None:
    assert stale() == [], "run `python -m docs.generate` and commit docs/generated"


def test_the_served_description_is_the_committed_one(world: World, document: dict[str, Any]) -> None:
    assert Client(world, key=None).call("GET", "/v1/openapi.json").json == document


def test_every_reference_in_the_description_leads_somewhere(document: dict[str, Any]) -> None:
    names = set(re.findall(r"#/components/schemas/(\w+)", generated()["openapi.json"]))

    assert names <= set(document["components"]["schemas"])


def test_every_operation_is_described_and_tells_how_it_refuses(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert operation["operationId"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "422" not in operation["responses"]


def test_only_health_and_the_description_itself_are_open(document: dict[str, Any]) -> None:
    opened = [
        path for path, found in document["paths"].items() for each in found.values() if each.get("security") == []
    ]

    assert sorted(opened) == ["/v1/health", "/v1/openapi.json"]
    assert document["security"] == [{"bearer": []}, {"header": []}]


def test_every_described_route_but_the_stream_is_answered_by_the_api(client: Client, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        concrete = path.replace("{run_id}", "run_" + "0" * 26).replace("{document}", "doc_" + "0" * 24)
        for method in operations:
            if not path.endswith("/events"):
                assert "no such route" not in client.call(method.upper(), concrete).text


def test_the_published_schema_has_every_event_and_no_other() -> None:
    schema = msgspec.json.decode(generated()["events.schema.json"])

    published = {
        tag for found in schema["$defs"].values() for tag in found.get("properties", {}).get("type", {}).get("enum", [])
    }

    assert published == {str(kind.__struct_config__.tag) for kind in get_args(Event)}


def test_the_committed_descriptions_are_found_stale_when_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docs.generate.FOLDER", tmp_path)

    assert stale() == ["openapi.json", "events.schema.json"]
