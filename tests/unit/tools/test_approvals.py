"""Which calls need a person, and what an approval is bound to."""

import pytest

from plinth.contracts.models import ToolCall
from plinth.tools.approvals import call_digest, needs_approval
from plinth.tools.tool import Effect, ToolFailedError

pytestmark = pytest.mark.guarantee_h


def asked(arguments: str, name: str = "remember") -> ToolCall:
    return ToolCall(id="call_1", name=name, arguments=arguments)


@pytest.mark.parametrize("effect", [Effect.WRITE, Effect.EXTERNAL])
def test_an_effect_needs_a_person_once_the_model_has_read_untrusted_text(effect: Effect) -> None:
    assert needs_approval(effect, tainted=True)
    assert not needs_approval(effect, tainted=False)


def test_reading_needs_nobody() -> None:
    assert not needs_approval(Effect.READ, tainted=True)


def test_a_digest_is_the_same_for_the_same_values_however_they_are_written() -> None:
    digest = call_digest(asked('{"text": "tea", "more": {"a": 1, "b": [1.0]}}'))

    assert digest == call_digest(asked('{"more":{"b":[1.0],"a":1},\n "text":"t\\u0065a"}'))
    assert len(digest) == 64


@pytest.mark.parametrize(
    "other",
    [
        asked('{"text": "Tea"}'),
        asked('{"text": "tea "}'),
        asked('{"text": "tea", "more": null}'),
        asked('{"text": ["tea"]}'),
        asked('{"text": "tea"}', name="forget"),
    ],
)
def test_a_digest_is_another_for_any_other_call(other: ToolCall) -> None:
    assert call_digest(other) != call_digest(asked('{"text": "tea"}'))


def test_a_number_and_its_text_have_two_digests() -> None:
    assert call_digest(asked('{"text": 1}')) != call_digest(asked('{"text": "1"}'))


@pytest.mark.parametrize("arguments", ["", "{", '{"text": NaN}', '{"text": "a", "text": "b"}', '{"n": 1e999}'])
def test_arguments_that_could_be_read_in_two_ways_have_no_digest(arguments: str) -> None:
    with pytest.raises(ToolFailedError, match="strict JSON"):
        call_digest(asked(arguments))


def test_arguments_nested_too_deeply_have_no_digest() -> None:
    with pytest.raises(ToolFailedError, match="strict JSON"):
        call_digest(asked("[" * 100_000))
