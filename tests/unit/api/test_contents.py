"""GET /v1/runs/{id}/contents: what a run's steps handed on, to a key of its own scope, as far as the tier says."""

import pytest

from plinth.contracts.access import ContentPolicy
from plinth.contracts.runs import Run, RunRequest, contents_until
from tests.unit.access.world import ALICE, ALL_SCOPES, BOB, World
from tests.unit.api.client import Client

SECRET = "write to ada@mail.example"
SCOPES = (*ALL_SCOPES, "contents:read")


def a_run(world: World, policy: ContentPolicy) -> Run:
    deadline = world.clock.now() + 270
    run = Run(
        id="run_" + "0" * 26,
        tenant=ALICE,
        epoch=1,
        deadline=deadline,
        contents_until=contents_until(policy, deadline),
    )
    world.runs.accept(run, RunRequest(question=SECRET, model="m", user="ann", contents=policy), None)
    world.runs.put_content(run, "prompt", {"system": SECRET, "version": "v1"})
    world.runs.put_content(run, "question_vector", {"halves": "AAAA"})
    return run


@pytest.fixture
def reader(world: World) -> Client:
    return Client(world, world.issue(scopes=SCOPES))


def test_full_contents_are_told_as_they_are(world: World, reader: Client) -> None:
    told = reader.call("GET", f"/v1/runs/{a_run(world, ContentPolicy.FULL).id}/contents").json

    assert (told["policy"], told["question"]) == ("full", SECRET)
    assert told["contents"] == {"prompt": {"system": SECRET, "version": "v1"}}


def test_redacted_contents_are_masked_everywhere(world: World, reader: Client) -> None:
    answer = reader.call("GET", f"/v1/runs/{a_run(world, ContentPolicy.REDACTED).id}/contents")

    assert answer.json["question"] == "write to [email]"
    assert "ada@" not in answer.text


def test_nothing_is_told_where_the_tier_keeps_nothing_and_it_is_gone_an_hour_after_the_deadline(
    world: World, reader: Client
) -> None:
    run = a_run(world, ContentPolicy.NOTHING)

    told = reader.call("GET", f"/v1/runs/{run.id}/contents").json
    world.clock.advance(270 + 3600)

    assert (told["question"], told["contents"]) == (None, {})
    assert world.runs.contents(run.tenant, run.id) == {}


def test_a_key_without_the_scope_reads_no_contents(world: World, client: Client) -> None:
    refused = client.call("GET", f"/v1/runs/{a_run(world, ContentPolicy.FULL).id}/contents")

    assert (refused.status, refused.code) == (403, "missing_scope")


@pytest.mark.guarantee_e
def test_the_contents_of_another_tenants_run_are_as_absent_as_none(world: World) -> None:
    bob = Client(world, world.issue(BOB, scopes=SCOPES))
    ids = (a_run(world, ContentPolicy.FULL).id, "run_" + "1" * 26, "nonsense")

    answers = [bob.call("GET", f"/v1/runs/{each}/contents") for each in ids]

    assert {(each.status, each.code) for each in answers} == {(404, "not_found")}


def test_a_run_takes_the_policy_of_its_tier_as_it_is_accepted(world: World, client: Client) -> None:
    made = client.ask().json

    assert world.runs.get(ALICE, made["id"]).request.contents is ContentPolicy.REDACTED
