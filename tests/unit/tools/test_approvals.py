"""Which calls need a person, and what an approval is bound to."""

from dataclasses import replace

import pytest

from plinth.contracts.approvals import Approval, Decision, Ruling
from plinth.contracts.models import ToolCall
from plinth.errors import ApprovalConflictError, ApprovalExpiredError, NotFoundError
from plinth.tools.approvals import (
    APPROVAL_SECONDS,
    MAX_PAUSES,
    asked_of_person,
    call_digest,
    call_name,
    decided,
    needs_approval,
    open_approvals,
    question_of,
    undecided_as,
    why_not,
)
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


OFFERED = ("remember", "fetch_url", "calculate")
FACT, PAGE = asked('{"fact": "tea"}'), asked('{"url": "https://a.test"}', name="fetch_url")
SUM = asked('{"expression": "1 + 1"}', name="calculate")


def test_a_person_is_asked_about_the_effects_of_a_turn_and_about_nothing_that_is_not_made_anyway() -> None:
    calls = [SUM, FACT, asked("{}", name="gone"), PAGE, asked('{"a": 1, "a": 2}')]

    assert asked_of_person(calls, (), offered=OFFERED, tainted=True) == ((2, FACT), (4, PAGE))
    assert asked_of_person(calls, (), offered=("calculate",), tainted=True) == ()
    assert asked_of_person(calls, (), offered=OFFERED, tainted=False) == ()


def test_a_run_asks_ten_times_at_most_however_many_calls_that_were() -> None:
    earlier = [approval(call_name(turn, number)) for turn in range(1, MAX_PAUSES) for number in (1, 2)]

    assert asked_of_person([FACT], earlier, offered=OFFERED, tainted=True)
    assert not asked_of_person([FACT], [*earlier, approval("99-1")], offered=OFFERED, tainted=True)


def approval(call: str = "1-1") -> Approval:
    return question_of(FACT, name=call, expires_at=100.0)


def ruling(decision: Decision = Decision.APPROVE, *, call: str = "1-1", sha256: str | None = None) -> Ruling:
    seen = sha256 or approval().arguments_sha256
    return Ruling(call=call, arguments_sha256=seen, decision=decision, user="ann", key_id="k1")


def shown_of(arguments: str) -> str:
    return question_of(asked(arguments), name="1-1", expires_at=0).arguments


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x1b", "\n", "\x00", "\ud800", "\u2066", "\ufeff"])
def test_arguments_are_shown_as_text_that_hides_nothing(hidden: str) -> None:
    shown = question_of(
        asked('{"fact": "' + repr(hidden)[1:-1].replace("\\x", "\\u00") + '"}'), name="1-1", expires_at=0
    )

    assert hidden not in shown.arguments.replace("\n ", "").replace("\n}", "")
    assert "\\" in shown.arguments


def test_arguments_stay_readable_in_every_language() -> None:
    assert (
        "Tee für Zoë 茶" in question_of(asked('{"fact": "Tee f\\u00fcr Zoë 茶"}'), name="1-1", expires_at=0).arguments
    )


def test_a_decision_is_kept_with_who_made_it_and_when() -> None:
    (made,) = decided([approval()], ruling(), now=50.0)

    assert (made.decision, made.user, made.key_id, made.decided_at) == (Decision.APPROVE, "ann", "k1", 50.0)
    assert open_approvals([made, approval("1-2")]) == (approval("1-2"),)
    assert decided([made], ruling(), now=9999.0) == (made,)


@pytest.mark.parametrize(
    ("before", "wrong", "now", "error"),
    [
        (approval(), ruling(call="1-2"), 50.0, NotFoundError),
        (approval(), ruling(sha256="0" * 64), 50.0, ApprovalConflictError),
        (approval(), ruling(), 100.0, ApprovalExpiredError),
        (replace(approval(), decision=Decision.EXPIRE), ruling(), 50.0, ApprovalExpiredError),
        (replace(approval(), decision=Decision.DENY), ruling(), 50.0, ApprovalConflictError),
        (replace(approval(), decision=Decision.CANCEL), ruling(Decision.DENY), 50.0, ApprovalConflictError),
    ],
)
def test_a_decision_about_something_else_too_late_or_against_another_is_refused(
    before: Approval, wrong: Ruling, now: float, error: type[Exception]
) -> None:
    with pytest.raises(error):
        decided([before], wrong, now=now)


def test_only_the_very_call_that_a_person_approved_is_made_and_only_soon() -> None:
    (approved,) = decided([approval()], ruling(), now=50.0)
    late = approved.expires_at + APPROVAL_SECONDS

    assert why_not([approved], FACT, name="1-1", now=60.0) is None
    for call, name, now in ((asked('{"fact": "Tea"}'), "1-1", 60.0), (FACT, "2-1", 60.0), (FACT, "1-1", late)):
        assert "approval" in str(why_not([approved], call, name=name, now=now))
    assert "approval" in str(why_not([approved], asked("{"), name="1-1", now=60.0))


@pytest.mark.parametrize(
    ("decision", "words"),
    [(Decision.DENY, "has denied"), (Decision.EXPIRE, "in time"), (Decision.CANCEL, "does not have")],
)
def test_a_model_is_told_why_its_call_was_not_made(decision: Decision, words: str) -> None:
    (made,) = undecided_as([approval()], decision, now=50.0)

    assert words in str(why_not([made], FACT, name="1-1", now=60.0))
