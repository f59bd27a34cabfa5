"""When two questions are the same."""

from dataclasses import replace

import pytest

from plinth.chain.caching import answer_key, conversation_digest
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
        key(replace(ASKED, max_output_tokens=5)),
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
