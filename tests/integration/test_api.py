"""What callers of a deployed stack may rely on: limits, retries, resumption, isolation, erasure."""

import json
import time
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from client.api import Question
from client.errors import ApiError
from local.supervision import wait_until
from plinth.contracts.events import RunEnded
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest, passages

pytestmark = pytest.mark.integration


@pytest.mark.guarantee_a
def test_one_idempotency_key_makes_one_run_and_refuses_another_body(deployed: Deployed, problem: Any) -> None:
    with deployed.http(**{"idempotency-key": uuid4().hex}) as http:
        first = http.post("/v1/runs", json={"question": "Is it?"})
        again = http.post("/v1/runs", json={"question": "Is it?"})
        other = http.post("/v1/runs", json={"question": "Is it not?"})

    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert problem(other)[:2] == (409, "idempotency_conflict")


@pytest.mark.guarantee_a
def test_a_run_that_is_started_twice_has_one_effect(deployed: Deployed) -> None:
    with deployed.api() as api:
        run = api.create_run(Question(question=f"Twice {uuid4().hex}?", conversation_id=f"talk-{uuid4().hex}"))
        ends = [entry for entry in api.events(run.id) if isinstance(entry.event, RunEnded)]

    claims = [line for line in deployed.log_lines("ClaimRun") if line.get("run_id") == run.id]
    assert len(claims) == 2  # AWS-strict starts every Express execution twice
    assert len(ends) == 1
    turns = [item for item in deployed.items("Conversations") if item["sk"]["S"].endswith(run.id)]
    assert len(turns) == 1


def test_a_reader_resumes_after_the_last_event_that_it_saw(deployed: Deployed) -> None:
    with deployed.api() as api:
        run = api.create_run(Question(question=f"Resume {uuid4().hex}?"))
        whole = list(api.events(run.id))
    with deployed.http(accept="text/event-stream", **{"last-event-id": "2"}) as http:
        text = http.get(f"/v1/runs/{run.id}/events").text

    ids = [int(line.removeprefix("id:")) for line in text.splitlines() if line.startswith("id:")]
    assert ids == [entry.seq for entry in whole if entry.seq > 2]


def test_a_long_poll_returns_what_is_new_and_says_when_the_run_has_ended(deployed: Deployed) -> None:
    with deployed.http() as http:
        run_id = http.post("/v1/runs", json={"question": f"Poll {uuid4().hex}?"}).json()["id"]
        after, types, ended = 0, [], False
        deadline = time.monotonic() + 60
        while not ended and time.monotonic() < deadline:
            page = http.get(f"/v1/runs/{run_id}/events", params={"after": after, "wait": 10}).json()
            types += [entry["event"]["type"] for entry in page["events"]]
            after, ended = page["next"], page["ended"]

    assert types[0] == "run.accepted"
    assert types[-1] == "run.ended"


def test_the_request_limit_is_refused_with_the_time_to_come_back(deployed: Deployed, problem: Any) -> None:
    with deployed.http("hurried") as http:
        answers = [http.post("/v1/runs", json={"question": "Fast?"}) for _ in range(5)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:3]] == [202, 202, 202]
    assert refused
    assert problem(refused[0])[1] == "rate_limited"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 10


@pytest.mark.guarantee_c
@pytest.mark.parametrize(
    ("tenant", "limit", "at_most"),
    [("rushed", "requests", 10), ("laconic", "tokens", 90), ("patient", "concurrency", 1)],
)
def test_each_limit_is_refused_by_its_name_and_every_answer_tells_how_it_stands(
    deployed: Deployed, problem: Any, tenant: str, limit: str, at_most: int
) -> None:
    with deployed.http(tenant) as http:
        answers = [http.post("/v1/runs", json={"question": f"Fast {uuid4().hex}?"}) for _ in range(6)]
        read = http.get("/v1/models")

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert problem(refused)[1] == "rate_limited"
    assert refused.json()["limit"] == limit
    assert 1 <= int(refused.headers["retry-after"]) <= at_most
    for answer in (*answers, read):
        assert f'"{limit}";q=' in answer.headers["ratelimit-policy"]
        assert f'"{limit}";r=' in answer.headers["ratelimit"]


@pytest.mark.guarantee_c
def test_the_end_of_a_run_gives_its_place_back_before_its_caller_learns_of_it(deployed: Deployed) -> None:
    deadline = time.monotonic() + 60
    with deployed.api("patient") as api:
        first = None
        while first is None:
            assert time.monotonic() < deadline, "another test's run still holds the place"
            with suppress(ApiError):
                first = api.create_run(Question(question=f"One {uuid4().hex}?"))
        list(api.events(first.id))

        assert api.create_run(Question(question=f"Next {uuid4().hex}?")).id


def test_a_tenant_sees_the_models_and_routes_of_its_tier_and_no_other(deployed: Deployed, problem: Any) -> None:
    with deployed.http("hurried") as http:
        listed = http.get("/v1/models").json()["data"]
        one, foreign = http.get("/v1/models/plinth-local"), http.get("/v1/models/claude-opus-5-5")
    with deployed.http("acme") as http:
        names = [each["id"] for each in http.get("/v1/models").json()["data"]]

    assert {"plinth-local", "claude-haiku-4-5", "fast"} <= set(names)
    assert [(each["id"], each["kind"], each["price"]["output"]) for each in listed] == [("plinth-local", "model", 0)]
    assert one.json() == listed[0]
    assert problem(foreign)[:2] == (404, "not_found")


@pytest.mark.guarantee_e
def test_another_tenants_run_and_document_are_as_absent_as_unknown_ones(deployed: Deployed, problem: Any) -> None:
    document = ingest(deployed, "secret.txt", b"The secret word is plover.")
    with deployed.api() as api:
        run = api.create_run(Question(question="What is the secret word?"))
        list(api.events(run.id))
    with deployed.http("rival") as rival:
        for path, unknown in (
            (f"/v1/runs/{run.id}", "/v1/runs/run_0"),
            (f"/v1/documents/{document.document_id}", "/v1/documents/doc_0"),
        ):
            foreign, absent = problem(rival.get(path)), problem(rival.get(unknown))
            assert foreign[:2] == absent[:2] == (404, "not_found")
        listed = rival.get("/v1/documents").json()["documents"]
        assert {each["name"] for each in listed} <= {"foreign.md"}, "a document that another test put here, no other's"
        assert rival.get(f"/v1/runs/{run.id}/events").status_code == 404


@pytest.mark.guarantee_e
def test_an_answer_never_rests_on_another_tenants_passage(deployed: Deployed) -> None:
    ingest(deployed, "vault.txt", b"The vault code of acme is xyzzy-42.")
    with deployed.api("rival") as api:
        run = api.create_run(Question(question="What is the vault code of acme?"))
        list(api.events(run.id))

    prompts = [item for item in deployed.items("Runs") if item["pk"]["S"] == f"rival#{run.id}"]
    assert prompts
    with deployed.api("rival") as api:
        ended = api.get_run(run.id)
    assert "xyzzy-42" not in json.dumps(str(ended))


@pytest.mark.guarantee_d
def test_a_deleted_document_is_gone_from_the_list_the_index_and_the_bucket(deployed: Deployed) -> None:
    document = ingest(deployed, "gone.txt", b"This will be gone.")
    with deployed.api() as api:
        api.delete_document(document.document_id)
        deadline = time.monotonic() + 60
        while "gone.txt" in {each.name for each in api.documents()}:
            assert time.monotonic() < deadline, "the document is still listed"
            time.sleep(0.2)

    assert wait_until(lambda: not passages(deployed, document.document_id), timeout_seconds=60)
    s3, bucket = deployed.aws("s3"), deployed.info.outputs["DocumentsBucket"]
    versions = partial(s3.list_object_versions, Bucket=bucket, Prefix="acme/gone.txt")
    assert wait_until(lambda: "Versions" not in versions(), timeout_seconds=60)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"question": "x"', 400, "invalid_json"),
        (b'{"question": "x", "temprature": 1}', 400, "invalid_field"),
        (b'{"question": ""}', 400, "invalid_field"),
        (b'{"question": "x", "model": "gpt-0"}', 400, "invalid_field"),
        (b'{"question": "' + b"x" * 1_100_000 + b'"}', 413, "too_large"),
    ],
    ids=["broken JSON", "unknown field", "empty question", "unknown model", "a question of 1 MB"],
)
def test_a_bad_request_is_a_problem_that_names_what_is_wrong(
    deployed: Deployed, problem: Any, content: bytes, status: int, code: str
) -> None:
    with deployed.http(**{"content-type": "application/json"}) as http:
        answer = http.post("/v1/runs", content=content)

    assert problem(answer)[0] == status
    assert problem(answer)[2]


def test_a_wrong_key_and_no_key_are_refused_alike(deployed: Deployed, problem: Any) -> None:
    with deployed.http(None) as http:
        absent = http.get("/v1/documents")
        key = deployed.keys["acme"]
        wrong = http.get("/v1/documents", headers={"x-api-key": key[:-1] + ("1" if key.endswith("0") else "0")})

    assert problem(absent)[:2] == problem(wrong)[:2] == (401, "unauthenticated")
