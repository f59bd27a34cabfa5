"""Access: every route but two needs a key in force with the right scope, before anything else is looked at."""

import pytest

from plinth.access.keys import make_key
from plinth.api.application import make_resolver
from plinth.api.openapi import openapi_document
from plinth.api.pipeline import OPEN_ROUTES
from tests.unit.access.world import World
from tests.unit.api.client import Client

DOCUMENT = "doc_" + "0" * 24
IMPORT = "imp_" + "0" * 24
ROUTES = [
    ("POST", "/v1/runs", "runs:write"),
    ("GET", "/v1/runs/run_" + "0" * 26, "runs:read"),
    ("POST", "/v1/runs/run_" + "0" * 26 + "/cancel", "runs:write"),
    ("GET", "/v1/runs/run_" + "0" * 26 + "/trace", "runs:read"),
    ("POST", "/v1/documents", "documents:write"),
    ("GET", "/v1/documents", "documents:read"),
    ("GET", f"/v1/documents/{DOCUMENT}", "documents:read"),
    ("DELETE", f"/v1/documents/{DOCUMENT}", "documents:write"),
    ("POST", "/v1/imports", "documents:write"),
    ("GET", "/v1/imports/" + IMPORT, "documents:read"),
    ("GET", f"/v1/imports/{IMPORT}/uploads", "documents:write"),
    ("POST", f"/v1/imports/{IMPORT}/start", "documents:write"),
    ("GET", "/v1/usage", "usage:read"),
]
KEY_ONLY = [("GET", "/v1/models"), ("GET", "/v1/models/{model}"), ("GET", "/v1/nope")]
RELAYED = ("/v1/runs/{run_id}/events",)
DESCRIBED = [
    (method.upper(), path)
    for path, methods in openapi_document(make_resolver())["paths"].items()
    for method in methods
    if path not in OPEN_ROUTES + RELAYED and (method.upper(), path) not in KEY_ONLY
]


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in ROUTES] + KEY_ONLY)
def test_no_route_answers_without_a_key(world: World, method: str, path: str) -> None:
    answer = Client(world, key=None).call(method, path, '{"surplus": 1}')

    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_each_route_needs_its_own_scope(world: World, method: str, path: str, scope: str) -> None:
    others = tuple({needed for _, _, needed in ROUTES} - {scope})

    answer = Client(world, world.issue(scopes=others)).call(method, path, '{"surplus": 1}')

    assert (answer.status, answer.code) == (403, "missing_scope")
    assert scope in answer.json["detail"]


@pytest.mark.parametrize(("method", "path"), DESCRIBED)
def test_a_key_without_scopes_opens_no_route_that_the_description_lists(world: World, method: str, path: str) -> None:
    answer = Client(world, world.issue(scopes=())).call(method, path)

    assert (answer.status, answer.code) == (403, "missing_scope")


def test_a_wrong_key_is_told_apart_from_none_only_in_words(world: World) -> None:
    answer = Client(world, make_key("test")).ask()

    assert (answer.status, answer.code) == (401, "unauthenticated")


@pytest.mark.parametrize("path", ["/v1/health", "/v1/openapi.json"])
def test_health_and_the_api_description_need_no_key(world: World, path: str) -> None:
    assert Client(world, key=None).call("GET", path).status == 200
