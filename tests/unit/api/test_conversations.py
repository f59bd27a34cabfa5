"""Conversations and facts over HTTP: the caller's own, to list, read and erase."""

import pytest

from plinth.contracts.conversations import ModelSummary
from plinth.contracts.runs import Run, Turn
from tests.unit.access.world import ALICE, BOB, World
from tests.unit.api.client import Client


@pytest.fixture
def run(world: World) -> Run:
    run = Run(id="run_1", tenant=ALICE, epoch=1, deadline=world.clock.now() + 270)
    world.conversations.append(run, "someone", "talk", Turn(question="why?", answer="because", at=1.0))
    return run


def test_a_caller_lists_reads_and_erases_their_conversations(client: Client, run: Run) -> None:
    assert [each["id"] for each in client.call("GET", "/v1/conversations").json["conversations"]] == ["talk"]
    assert client.call("GET", "/v1/conversations/talk").json["turns"][0]["answer"] == "because"

    assert client.call("DELETE", "/v1/conversations/talk").status == 204

    assert client.call("GET", "/v1/conversations").json == {"conversations": []}
    for method in ("GET", "DELETE"):
        assert client.call(method, "/v1/conversations/talk").code == "not_found"


def test_a_caller_lists_and_erases_what_is_remembered_of_them(world: World, client: Client, run: Run) -> None:
    fact = world.facts.keep(run, "someone", "Someone likes tea.")
    world.facts.keep(run, "another", "Another likes coffee.")

    assert [each["text"] for each in client.call("GET", "/v1/facts").json["facts"]] == ["Someone likes tea."]
    assert client.call("DELETE", f"/v1/facts/{fact.id}").status == 204
    assert client.call("GET", "/v1/facts").json == {"facts": []}
    assert client.call("DELETE", f"/v1/facts/{fact.id}").code == "not_found"


@pytest.mark.guarantee_e
def test_conversations_and_facts_of_other_tenants_are_as_absent_as_unknown_ones(world: World, run: Run) -> None:
    fact = world.facts.keep(run, "someone", "Someone likes tea.")
    foreign = Client(world, world.issue(BOB))

    for path in ("/v1/conversations/talk", "/v1/conversations/none", f"/v1/facts/{fact.id}", "/v1/facts/fact_x"):
        assert foreign.call("DELETE", path).code == "not_found"
    assert foreign.call("GET", "/v1/facts").json == {"facts": []}


@pytest.mark.guarantee_e
def test_what_was_said_with_more_labels_is_not_read_with_fewer(world: World, client: Client, run: Run) -> None:
    secret = Turn(question="q", answer="secret", at=2.0, labels=("board",))
    world.conversations.append(Run(id="run_2", tenant=ALICE, epoch=1, deadline=run.deadline), "someone", "talk", secret)
    world.facts.keep(run, "someone", "The board meets.", labels=["board"])

    assert "secret" not in client.call("GET", "/v1/conversations/talk").text
    assert client.call("GET", "/v1/facts").json == {"facts": []}


def test_a_summary_is_read_with_its_turns_and_by_nobody_with_other_labels(world: World, client: Client) -> None:
    assert client.call("GET", "/v1/conversations/talk").status == 404
    run = Run(id="run_1", tenant=ALICE, epoch=1, deadline=world.clock.now() + 270)
    world.conversations.append(run, "someone", "talk", Turn(question="why?", answer="because", at=1.0))
    assert client.call("GET", "/v1/conversations/talk").json.get("summary") is None
    for labels, text in (((), "Why was asked."), (("board",), "Of the board.")):
        told = ModelSummary(
            text=text,
            model="small",
            turns=1,
            from_at=1.0,
            until_at=1.0,
            cost_micro_usd=7,
            expires_at=run.expires_at,
            by="run_1",
            covers=("run_1",),
            labels=labels,
        )
        assert world.conversations.keep_summary(ALICE, "someone", "talk", told, made_of=())

    told = client.call("GET", "/v1/conversations/talk").json["summary"]

    assert (told["text"], told["turns"], told["covers"], told["cost_micro_usd"]) == ("Why was asked.", 1, ["run_1"], 7)
