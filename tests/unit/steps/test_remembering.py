"""A long conversation, over fakes: the last turns whole, older ones in a line, facts as far as labels reach."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.recall_conversation.handler import recall_conversation
from functions.retrieve_context.handler import retrieve_context
from plinth.chain.routing import route_of
from plinth.contracts import SaveAnswerInput
from plinth.contracts.models import Prompt
from plinth.contracts.runs import Answer, Run, Turn
from plinth.runtime.answer_endings import remember
from plinth.runtime.provenance import documents_before
from tests.unit.steps.conftest import ChainServices

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]


def prompt_of(services: ChainServices, call: Call, run: Run) -> Prompt:
    """Walk the states up to the prompt."""
    call(retrieve_context, run=run)
    recalled = call(recall_conversation, run=run)
    call(build_prompt, run=run, turns=recalled["turns"])
    return services.runs.get_content(run, "prompt", Prompt)


def talked(services: ChainServices, run: Run, turns: int) -> None:
    for number in range(turns):
        said = Turn(question=f"Question {number}?", answer=f"Answer {number}.", at=number, documents=(f"doc_{number}",))
        services.conversations.append(replace(run, id=f"run_{number:02d}"), "ann", "talk", said)


def test_turns_before_the_last_are_told_in_a_line_each(services: ChainServices, call: Call, accept: Accept) -> None:
    run = accept("And now?", conversation_id="talk", run_id="run_99")
    whole = route_of(services.runs.get(run.tenant, run.id).request).history_turns
    talked(services, run, whole + 2)

    prompt = prompt_of(services, call, run)

    assert "- Question 0? -> Answer 0.\n- Question 1? -> Answer 1." in prompt.system
    assert [message.text for message in prompt.messages[:2]] == ["Question 2?", "Answer 2."]
    assert set(documents_before(run, services, turn=1)) == {f"doc_{number}" for number in range(whole + 2)}


def test_facts_are_told_in_a_conversation_and_nowhere_else(services: ChainServices, call: Call, accept: Accept) -> None:
    run = accept("Which editor?", conversation_id="talk")
    alone = accept("Which editor?", run_id="run_2")
    services.facts.keep(run, "ann", "Ann likes the editor ed.", documents=["doc_ed"])
    services.facts.keep(run, "bob", "Bob likes vi.")

    told, untold = prompt_of(services, call, run), prompt_of(services, call, alone)

    assert "Ann likes the editor ed." in told.system
    assert "Bob" not in told.system
    assert "Known of the user" not in untold.system
    assert documents_before(run, services, turn=1) == ("doc_ed",)


@pytest.mark.guarantee_g
def test_a_fact_changes_the_digest_under_which_answers_are_kept(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    run = accept("Which editor?", conversation_id="talk")
    before = call(recall_conversation, run=run)["digest"]
    services.facts.keep(run, "ann", "Ann likes the editor ed.")

    assert call(recall_conversation, run=run)["digest"] != before


@pytest.mark.guarantee_e
def test_a_fact_is_not_told_to_who_lacks_one_of_its_labels(services: ChainServices, call: Call, accept: Accept) -> None:
    run = accept("Which editor?", conversation_id="talk", labels=("staff",))
    services.facts.keep(run, "ann", "The board likes ed.", labels=["board", "staff"])
    services.facts.keep(run, "ann", "Staff like vi.", labels=["staff"])

    prompt = prompt_of(services, call, run)

    assert "Staff like vi." in prompt.system
    assert "board" not in prompt.system


def test_turns_are_remembered_until_the_second_that_the_run_was_asked_with(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    soon = int(services.clock.now()) + 60
    run = accept("Which editor?", conversation_id="talk", remember_until=soon)
    answer = Answer(text="ed.", citations=(), stop_reason="end", model="m")
    saved = SaveAnswerInput(run=run, cached=True, cache_key=None)

    remember(saved, services.runs.get(run.tenant, run.id).request, answer, services)

    assert [turn.answer for turn in services.conversations.recent(run.tenant, "ann", "talk", limit=9)] == ["ed."]
    services.time.advance(61)
    assert services.conversations.recent(run.tenant, "ann", "talk", limit=9) == []
    assert services.runs.get(run.tenant, run.id).expires_at > soon
