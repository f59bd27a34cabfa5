"""When two questions are the same."""

from dataclasses import replace

import pytest

from plinth.chain.caching import (
    NEAR_COSINE,
    answer_key,
    conversation_digest,
    cosine,
    is_near,
    near_key,
    question_vector,
)
from plinth.contracts.questions import KeptQuestion
from plinth.contracts.runs import RunRequest, Turn

ASKED = RunRequest(question="How do I purge?", model="m", user="ann")


def key(asked: RunRequest = ASKED, *, corpus_version: int = 1, conversation: str = "") -> str:
    return answer_key(asked, corpus_version=corpus_version, conversation=conversation)


@pytest.mark.guarantee_g
def test_everything_that_could_change_the_answer_changes_the_key() -> None:
    keys = [
        key(),
        key(replace(ASKED, question="How do I not purge?")),
        key(replace(ASKED, question="HOW do I purge?")),
        key(replace(ASKED, model="other")),
        key(replace(ASKED, models=("small", "large"))),
        key(replace(ASKED, models=("large", "small"))),
        key(replace(ASKED, max_output_tokens=5)),
        key(replace(ASKED, labels=("board",))),
        key(replace(ASKED, labels=("board", "payroll"))),
        key(replace(ASKED, metadata=(("year=2025", "year=2026"),))),
        key(replace(ASKED, metadata=(("year=2025",), ("year=2026",)))),
        key(corpus_version=2),
        key(conversation="said"),
    ]

    assert len(set(keys)) == len(keys)


def test_spacing_and_the_user_do_not_change_the_key() -> None:
    assert key() == key(replace(ASKED, question="  How do I\npurge? ", user="ben"))


def test_the_digest_of_no_turns_is_empty_and_order_counts() -> None:
    one, two = Turn(question="a", answer="b", at=1.0), Turn(question="c", answer="d", at=2.0)

    assert conversation_digest([]) == ""
    assert conversation_digest([one, two]) != conversation_digest([two, one])


@pytest.mark.guarantee_g
def test_questions_of_one_form_share_a_key_only_within_their_partition() -> None:
    reworded = replace(ASKED, question="how to purge?")

    assert near_key(reworded, corpus_version=1) == near_key(ASKED, corpus_version=1) != key()
    keys = [
        near_key(ASKED, corpus_version=1),
        near_key(ASKED, corpus_version=2),
        near_key(replace(ASKED, model="other"), corpus_version=1),
        near_key(replace(ASKED, models=("small",)), corpus_version=1),
        near_key(replace(ASKED, max_output_tokens=5), corpus_version=1),
        near_key(replace(ASKED, link_hosts=("docs.example.org",)), corpus_version=1),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.guarantee_g
@pytest.mark.parametrize("away", [0.01, -0.01])
def test_a_question_is_near_from_the_least_cosine_on(away: float) -> None:
    at = NEAR_COSINE + away
    asked = question_vector([1.0, 0.0], model="mini")
    kept = KeptQuestion(vector=question_vector([at, (1 - at * at) ** 0.5], model="mini"), answer_key="key")

    assert is_near(asked, kept) is (away > 0)
    assert not is_near(replace(asked, model="other"), kept)


def test_half_precision_costs_a_cosine_less_than_a_thousandth() -> None:
    numbers = [(place % 7 - 3) / 39.2 for place in range(384)]

    vector = question_vector(numbers, model="mini")

    assert len(vector.halves) == 768
    assert cosine(vector, vector) == pytest.approx(sum(number * number for number in numbers), abs=1e-3)
