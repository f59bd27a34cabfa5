"""What a long loop of model and tools tells the model, and what it never outgrows."""

from random import Random

import pytest

from plinth.adapters.dynamodb_items import packed
from plinth.chain.tool_turns import MAX_CALLS, with_results
from plinth.contracts.models import Message, Prompt, Reply, Role, StopReason, ToolCall
from plinth.contracts.tools import ToolOutcome
from tests.fakes.costs import model_cost

ITEM_BYTES = 400 * 1024
FULL = ["a word " * 2000] * MAX_CALLS
FIRST = Prompt(version="v", system="s", messages=(Message(role=Role.USER, text="Why?"),))


def after(prompt: Prompt, *texts: str) -> Prompt:
    asked = tuple(ToolCall(id=f"call_{number}", name="fetch_url", arguments="{}") for number in range(len(texts)))
    reply = Reply(text="", stop_reason=StopReason.TOOL_USE, cost=model_cost(), attempt=1, tool_calls=asked)
    return with_results(prompt, reply, [ToolOutcome(text=text) for text in texts], numbered=(), last=False)


def ends(prompt: Prompt) -> bool:
    return "no more tools" in prompt.messages[-1].text


@pytest.mark.parametrize("letters", [range(40, 104), range(0x4E00, 0x9FFF)], ids=["of one byte", "of three bytes"])
def test_thirty_turns_of_sixteen_long_results_stay_within_what_a_run_can_keep(letters: range) -> None:
    random, prompt = Random(1), FIRST
    told: list[bool] = []
    for _ in range(29):
        pages = ["".join(map(chr, random.choices(letters, k=9000))) for _ in range(MAX_CALLS)]
        prompt = after(prompt, *pages)
        told.append(ends(prompt))

    assert len(packed(prompt)) < ITEM_BYTES
    assert all(result.text.endswith("(cut here)") for result in prompt.messages[-1].tool_results)
    assert told == sorted(told)
    assert told[-1]


def test_what_was_told_is_never_changed_as_the_provider_keeps_it() -> None:
    before = after(FIRST, *FULL)

    later = after(after(before, *FULL), *FULL)

    assert later.messages[: len(before.messages)] == before.messages
    assert [ends(before), ends(later)] == [False, True]


def test_a_failure_is_told_even_where_no_room_is_left() -> None:
    full = after(after(after(FIRST, *FULL), *FULL), *FULL)

    told = after(full, "The host could not be read.")

    assert told.messages[-1].tool_results[0].text.endswith("The host could not be read.")
    assert ends(told)
