"""Bad input: each gets a problem document that names the field or the remedy, and nothing is written."""

import base64

import pytest

from tests.unit.access.world import World
from tests.unit.api.client import Client

BAD_BODIES = {
    "no body": None,
    "an empty body": "",
    "broken JSON": '{"question": "Why',
    "not a number": '{"question": NaN}',
    "an array": '[{"question": "Why?"}]',
    "a string": '"Why?"',
    "null": "null",
    "half a surrogate": '{"question": "\\ud800"}',
    "a deep nest": '{"question":' * 400_00 + "1",
    "binary noise": "\x00\x01\x02\xff",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_no_json_object_is_refused(world: World, client: Client, body: str | None) -> None:
    answer = client.call("POST", "/v1/runs", body)

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert not world.runs.rows


def test_a_body_that_is_no_utf8_is_refused(client: Client) -> None:
    noise = base64.b64encode(bytes(range(256))).decode()

    answer = client.call("POST", "/v1/runs", noise, is_base64=True)

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "UTF-8" in answer.json["detail"]


def test_a_body_in_base64_is_read_like_any_other(client: Client) -> None:
    body = base64.b64encode('{"question": "Où ?"}'.encode()).decode()

    assert client.call("POST", "/v1/runs", body, is_base64=True).status == 202


def test_a_body_over_1_mb_is_refused_with_the_limit_before_the_key_is_looked_at(world: World) -> None:
    answer = Client(world, key=None).ask("x" * 1024 * 1024)

    assert (answer.status, answer.code) == (413, "too_large")
    assert "1048576" in answer.json["detail"]


BAD_FIELDS: list[tuple[str, dict[str, object]]] = [
    ("question", {"question": ""}),
    ("question", {"question": " \n\t "}),
    ("question", {"question": "x" * 8001}),
    ("question", {"question": 7}),
    ("question", {"question": None}),
    ("question", {}),
    ("questoin", {"question": "Why?", "questoin": "Why?"}),
    ("conversation_id", {"question": "Why?", "conversation_id": "a#b"}),
    ("conversation_id", {"question": "Why?", "conversation_id": "x" * 65}),
    ("model", {"question": "Why?", "model": "x" * 101}),
    ("max_output_tokens", {"question": "Why?", "max_output_tokens": 0}),
    ("max_output_tokens", {"question": "Why?", "max_output_tokens": "many"}),
    ("max_output_tokens", {"question": "Why?", "max_output_tokens": True}),
    ("filter.metadat", {"question": "Why?", "filter": {"metadat": {}}}),
    ("filter.metadata", {"question": "Why?", "filter": {"metadata": {"Year": "2026"}}}),
    ("filter.metadata", {"question": "Why?", "filter": {"metadata": {f"n{each}": "v" for each in range(17)}}}),
    ("filter.metadata.year", {"question": "Why?", "filter": {"metadata": {"year": ""}}}),
    ("filter.metadata.year", {"question": "Why?", "filter": {"metadata": {"year": []}}}),
    ("filter.metadata.year", {"question": "Why?", "filter": {"metadata": {"year": "x" * 257}}}),
]


@pytest.mark.parametrize(("field", "body"), BAD_FIELDS)
def test_a_bad_field_is_named(world: World, client: Client, field: str, body: dict[str, object]) -> None:
    answer = client.call("POST", "/v1/runs", body)

    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", field)
    assert answer.json["detail"].startswith(f"{field}: ")
    assert not world.runs.rows


@pytest.mark.parametrize("question", ["x", "x" * 8000, "🙂" * 8000, "a\x00b"])
def test_a_question_of_1_to_8000_characters_is_taken(client: Client, question: str) -> None:
    assert client.ask(question).status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_an_idempotency_key_is_1_to_255_printable_characters(client: Client, key: str) -> None:
    answer = client.ask(headers={"Idempotency-Key": key})

    assert (answer.status, answer.json["field"]) == (400, "idempotency-key")


def test_a_long_name_of_an_unknown_field_is_not_thrown_back(client: Client) -> None:
    answer = client.call("POST", "/v1/runs", {"question": "Why?", "x" * 100_000: 1})

    assert answer.status == 400
    assert len(answer.text) < 1000


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_body_that_is_not_said_to_be_json_is_refused(client: Client, content_type: str) -> None:
    answer = client.ask(headers={"Content-Type": content_type})

    assert (answer.status, answer.code) == (415, "unsupported_content_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_be_said_with_its_charset(client: Client, content_type: str) -> None:
    assert client.ask(headers={"content-type": content_type}).status == 202


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/runs", "POST"),
        ("PUT", "/v1/documents", "GET, POST"),
        ("PATCH", "/v1/documents/doc_x", "DELETE, GET"),
        ("DELETE", "/v1/runs/run_x/", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client: Client, method: str, path: str, allowed: str) -> None:
    answer = client.call(method, path)

    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method_not_allowed", allowed)


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/runs", "/v1/runs/a/b", "/v1/<x>/{y}", "/v1/runs/../../etc/passwd"])
def test_an_unknown_route_is_absent(client: Client, path: str) -> None:
    answer = client.call("GET", path)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("run_id", ["x", "run_x", "run_" + "0" * 5000, "run_%00"])
def test_what_can_be_no_run_id_is_absent(client: Client, run_id: str) -> None:
    answer = client.call("GET", f"/v1/runs/{run_id}")

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "field", "remedy"),
    [
        ("/v1/usage?frist_day=2026-11-01", "frist_day", "by, first_day, last_day"),
        ("/v1/models?limit=3", "limit", "leave it out"),
        ("/v1/documents?limit=3&page=2", "page", "limit"),
    ],
)
def test_a_query_parameter_that_would_be_ignored_is_refused(client: Client, path: str, field: str, remedy: str) -> None:
    answer = client.call("GET", path)

    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", field)
    assert remedy in answer.json["detail"]


def test_parameters_of_a_route_that_does_not_exist_change_nothing(client: Client) -> None:
    assert client.call("GET", "/v1/nope?limit=3").code == "not_found"
