"""Which passages an answer cites."""

import pytest

from plinth.chain.replies import is_cacheable, parse_reply
from plinth.contracts.models import Reply, StopReason
from tests.fakes.costs import model_cost
from tests.unit.chain.test_prompting import passage

PASSAGES = [passage("a", 0, "first"), passage("b", 0, "second"), passage("c", 0, "third")]


def reply(text: str, stop_reason: StopReason = StopReason.END) -> Reply:
    return Reply(text=text, stop_reason=stop_reason, cost=model_cost("m"), attempt=1)


@pytest.mark.parametrize(
    ("text", "markers"),
    [
        ("It is so [2]. And so [1].", [2, 1]),
        ("Both [1][3].", [1, 3]),
        ("Both [1, 3].", [1, 3]),
        ("Twice [2] and [2].", [2]),
        ("Out of range [4] [0].", []),
        ("An array a[i] or a [link](x).", []),
        ("Nothing.", []),
        ("It purges[1], the 'files'[2] (all)[3].", [1, 2, 3]),
        ("Read it as `sys.argv[1]` or ``a`b[3]`` [2].", [2]),
        ("```c\nint x = a[2];\n\nint y = a[3];\n```\nThis is [1].", [1]),
        ("So it is [1].\n~~~~\na[2]\n~~~\na[3]", [1]),
        ("The ` key [1].\nAnd `that` [2].", [1, 2]),
    ],
)
def test_markers_name_passages_in_the_order_of_first_mention(text: str, markers: list[int]) -> None:
    answer = parse_reply(reply(text), PASSAGES)

    assert [citation.marker for citation in answer.citations] == markers
    assert [citation.document_id for citation in answer.citations] == ["abc"[marker - 1] for marker in markers]


def test_only_a_whole_answer_that_says_something_may_be_given_again() -> None:
    assert is_cacheable(reply("Yes."))
    assert not is_cacheable(reply(" "))
    assert not is_cacheable(reply("Yes, and", StopReason.MAX_TOKENS))


@pytest.mark.parametrize(
    "text", ["The documents do not say.", "the documents do not say [1]", " The documents do not say [2]. "]
)
def test_a_reply_that_only_declines_is_the_answer_that_there_is_none(text: str) -> None:
    answer = parse_reply(reply(text), PASSAGES)

    assert (answer.text, answer.citations, answer.stop_reason) == ("The documents do not say.", (), "not_in_documents")


def test_a_reply_that_declines_and_says_more_is_an_answer() -> None:
    answer = parse_reply(reply("The documents do not say. But it may be so [1]."), PASSAGES)

    assert (len(answer.citations), answer.stop_reason) == (1, "end")
