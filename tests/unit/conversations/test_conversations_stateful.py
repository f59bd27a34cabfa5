"""Conversations of many turns, summed up in any order, against what must hold after every step; mutants are found."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from plinth.chain import recalling
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.runs import Turn
from plinth.contracts.tenant import Tenant
from tests.fakes.conversations import FakeConversations
from tests.unit.conversations.conversation_rules import ConversationRules

SETTINGS = settings(max_examples=150, stateful_step_count=25, suppress_health_check=list(HealthCheck), database=None)
BROKEN = settings(SETTINGS, max_examples=5_000, derandomize=True, phases=[Phase.generate])


def rules(conversations: type[FakeConversations] = FakeConversations) -> type[ConversationRules]:
    """Return the rules over these conversations."""
    return type("Rules", (ConversationRules,), {"conversations": conversations})


def test_a_conversation_tells_each_turn_once_and_none_that_is_gone() -> None:
    run_state_machine_as_test(rules(), settings=SETTINGS)


class Unordered(FakeConversations):
    """Keeps a summary in place of whichever stands there."""

    def keep_summary(
        self, tenant: Tenant, user: str, conversation_id: str, summary: ModelSummary, *, made_of: Sequence[Turn]
    ) -> bool:
        here = self.summary(tenant, user, conversation_id, labels=summary.labels)
        follows = replace(summary, follows=here.by if here else "")
        return super().keep_summary(tenant, user, conversation_id, follows, made_of=made_of)


class Undead(FakeConversations):
    """Keeps a summary of turns that are gone."""

    def keep_summary(
        self, tenant: Tenant, user: str, conversation_id: str, summary: ModelSummary, *, made_of: Sequence[Turn]
    ) -> bool:
        return super().keep_summary(tenant, user, conversation_id, summary, made_of=())


class Lasting(FakeConversations):
    """Keeps a summary as long as the last of its turns."""

    def keep_summary(
        self, tenant: Tenant, user: str, conversation_id: str, summary: ModelSummary, *, made_of: Sequence[Turn]
    ) -> bool:
        longer = replace(summary, expires_at=made_of[-1].expires_at)
        return super().keep_summary(tenant, user, conversation_id, longer, made_of=made_of)


@pytest.mark.parametrize("broken", [Unordered, Undead, Lasting])
def test_stores_that_break_a_promise_are_found(broken: type[FakeConversations]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(rules(broken), settings=BROKEN)


def test_telling_a_turn_beside_its_summary_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalling, "is_told", lambda *_: False)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(rules(), settings=BROKEN)


def test_forgetting_a_turn_that_came_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        recalling, "is_told", lambda turn, summary: bool(summary) and turn.run_id <= max(summary.covers, default="")
    )

    with pytest.raises(AssertionError):
        run_state_machine_as_test(rules(), settings=BROKEN)
