"""What goes into a prompt, and in which order."""

import pytest

from plinth.chain.prompting import build_prompt, choose_passages, input_token_bound
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import Prompt, Role
from plinth.contracts.runs import Turn


def passage(document_id: str, position: int, text: str) -> StoredPassage:
    return StoredPassage(
        chunk_id=f"{document_id}:{position}",
        document_id=document_id,
        generation="1",
        name="n",
        title="Title",
        above="Title",
        position=position,
        text=text,
        score=1.0,
    )


def test_the_best_passages_that_fit_are_chosen_and_a_smaller_one_may_take_the_place_of_a_larger() -> None:
    ranked = [passage("a", 0, "x" * 60), passage("b", 0, "y" * 60), passage("c", 0, "z" * 30)]

    assert [chosen.document_id for chosen in choose_passages(ranked, characters=110)] == ["c", "a"]


def test_the_best_passage_is_chosen_even_where_it_does_not_fit() -> None:
    assert len(choose_passages([passage("a", 0, "x" * 500)], characters=100)) == 1


def test_the_best_document_stands_last_and_its_passages_in_its_order() -> None:
    ranked = [passage("b", 1, "second"), passage("a", 4, "fourth"), passage("b", 0, "first")]

    chosen = choose_passages(ranked, characters=1000)

    assert [(each.document_id, each.position) for each in chosen] == [("a", 4), ("b", 0), ("b", 1)]


def test_a_prompt_holds_numbered_passages_then_history_then_the_question() -> None:
    prompt = build_prompt("Why?", [passage("a", 0, "Because.")], [Turn(question="What?", answer="That.", at=1.0)])

    question, answer, last = prompt.messages
    assert prompt.system.endswith("[1] Title\nBecause.")
    assert (question.role, question.text, answer.role, answer.text) == (Role.USER, "What?", Role.ASSISTANT, "That.")
    assert last.text.startswith("Why?\n\nAnswer in one or two sentences")


def test_the_token_bound_counts_bytes_so_that_no_script_exceeds_it() -> None:
    latin = input_token_bound(build_prompt("a" * 100, [], []))
    chinese = input_token_bound(build_prompt("字" * 100, [], []))

    assert chinese - latin == 200


@pytest.mark.guarantee_h
def test_a_prompt_is_tainted_by_passages_and_by_earlier_answers_but_not_by_the_question() -> None:
    assert not build_prompt("Why?", [], []).tainted
    assert build_prompt("Why?", [passage("a", 0, "Because.")], []).tainted
    assert build_prompt("Why?", [], [Turn(question="What?", answer="That.", at=1.0)]).tainted


@pytest.mark.guarantee_h
def test_a_prompt_that_does_not_say_so_is_tainted() -> None:
    assert Prompt(version="1", system="", messages=()).tainted
