"""The contract of `Conversations`, held by the fake and by DynamoDB."""

from dataclasses import replace

import pytest

from plinth.adapters.dynamo_conversations import DynamoConversations
from plinth.adapters.dynamo_rows import Rows
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.runs import Run, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, RunSupersededError
from plinth.ports.runs import Conversations
from tests.fakes.clock import FakeClock
from tests.fakes.conversations import FakeConversations


@pytest.fixture(params=["fake", "dynamodb"])
def conversations(request: pytest.FixtureRequest, clock: FakeClock) -> Conversations:
    if request.param == "fake":
        return FakeConversations(clock)
    table, dynamodb = request.getfixturevalue("table"), request.getfixturevalue("dynamodb")
    return DynamoConversations(table=table, rows=Rows(client=dynamodb, name=table.name), clock=clock)


KEPT_UNTIL = 2_000_000_000


def run(tenant: Tenant, number: int, epoch: int = 1) -> Run:
    return Run(id=f"run_{number:026d}", tenant=tenant, epoch=epoch, deadline=0.0, keep_until=KEPT_UNTIL)


def turn(number: int) -> Turn:
    """Return what `run` of this number said, as it is read back."""
    run_id = f"run_{number:026d}"
    said = (f"question {number}", f"answer {number}")
    return Turn(question=said[0], answer=said[1], at=float(number), run_id=run_id, expires_at=KEPT_UNTIL)


def summary(number: int, *, follows: str = "", labels: tuple[str, ...] = (), until: int = KEPT_UNTIL) -> ModelSummary:
    return ModelSummary(
        text=f"summary {number}",
        model="small",
        turns=number,
        from_at=1.0,
        until_at=2.0,
        cost_micro_usd=3,
        expires_at=until,
        by=f"run_{number}",
        follows=follows,
        labels=labels,
    )


def test_the_last_turns_come_oldest_first(conversations: Conversations, tenant: Tenant) -> None:
    for number in (2, 1, 3):
        conversations.append(run(tenant, number), "ada", "c", turn(number))

    assert conversations.recent(tenant, "ada", "c", limit=2) == [turn(2), turn(3)]
    assert conversations.recent(tenant, "ada", "c", limit=9) == [turn(1), turn(2), turn(3)]


def test_a_turn_is_gone_when_its_run_is(conversations: Conversations, tenant: Tenant, clock: FakeClock) -> None:
    conversations.append(replace(run(tenant, 2), keep_until=KEPT_UNTIL - 10), "ada", "c", turn(2))
    conversations.append(run(tenant, 1), "ada", "c", turn(1))

    clock.advance(KEPT_UNTIL - 10 - clock.now())

    assert conversations.recent(tenant, "ada", "c", limit=9) == [turn(1)]


@pytest.mark.guarantee_a
def test_a_turn_is_remembered_once_per_run_even_at_another_time(conversations: Conversations, tenant: Tenant) -> None:
    conversations.append(run(tenant, 1), "ada", "c", turn(1))
    conversations.append(run(tenant, 1), "ada", "c", turn(2))

    assert len(conversations.recent(tenant, "ada", "c", limit=9)) == 1


@pytest.mark.guarantee_a
def test_an_earlier_epoch_cannot_replace_a_turn(conversations: Conversations, tenant: Tenant) -> None:
    conversations.append(run(tenant, 1, epoch=2), "ada", "c", turn(2))

    with pytest.raises(RunSupersededError):
        conversations.append(run(tenant, 1, epoch=1), "ada", "c", turn(1))

    assert [each.answer for each in conversations.recent(tenant, "ada", "c", limit=9)] == ["answer 2"]


@pytest.mark.guarantee_e
def test_conversations_of_other_tenants_users_and_ids_stay_apart(
    conversations: Conversations, tenant: Tenant, other_tenant: Tenant
) -> None:
    conversations.append(run(tenant, 1), "a#b", "c", turn(1))

    assert conversations.recent(other_tenant, "a#b", "c", limit=9) == []
    assert conversations.recent(tenant, "a", "b#c", limit=9) == []
    assert conversations.recent(tenant, "a#b", "d", limit=9) == []


def test_conversations_are_listed_the_latest_first_and_erased_one_by_one(
    conversations: Conversations, tenant: Tenant
) -> None:
    for number, name in ((1, "c"), (3, "d"), (2, "c")):
        conversations.append(run(tenant, number), "ada", name, turn(number))

    assert [(each.id, each.last_at) for each in conversations.list(tenant, "ada")] == [("d", 3.0), ("c", 2.0)]
    assert conversations.erase(tenant, "ada", "c") == 2
    assert [each.id for each in conversations.list(tenant, "ada")] == ["d"]
    assert conversations.recent(tenant, "ada", "c", limit=9) == []
    with pytest.raises(NotFoundError):
        conversations.erase(tenant, "ada", "c")


@pytest.mark.guarantee_e
def test_conversations_of_others_are_neither_listed_nor_erased(
    conversations: Conversations, tenant: Tenant, other_tenant: Tenant
) -> None:
    conversations.append(run(tenant, 1), "a", "c", turn(1))

    for owner, user in ((other_tenant, "a"), (tenant, "b")):
        assert conversations.list(owner, user) == []
        with pytest.raises(NotFoundError):
            conversations.erase(owner, user, "c")
    assert len(conversations.list(tenant, "a")) == 1


def keep(conversations: Conversations, tenant: Tenant, new: ModelSummary, *made_of: Turn) -> bool:
    return conversations.keep_summary(tenant, "ada", "c", new, made_of=made_of)


def kept(conversations: Conversations, tenant: Tenant, *labels: str) -> str | None:
    found = conversations.summary(tenant, "ada", "c", labels=labels)
    return found.text if found else None


def test_a_summary_follows_the_one_that_it_was_made_of_and_no_other(
    conversations: Conversations, tenant: Tenant
) -> None:
    conversations.append(run(tenant, 1), "ada", "c", turn(1))

    assert keep(conversations, tenant, summary(1), turn(1))
    assert not keep(conversations, tenant, summary(2), turn(1))
    assert not keep(conversations, tenant, summary(2, follows="run_0"), turn(1))
    assert keep(conversations, tenant, summary(3, follows="run_1"), turn(1))
    assert not keep(conversations, tenant, summary(4, follows="run_1"), turn(1))

    assert conversations.summary(tenant, "ada", "c", labels=()) == summary(3, follows="run_1")
    assert conversations.recent(tenant, "ada", "c", limit=9) == [turn(1)]


@pytest.mark.guarantee_d
def test_no_summary_is_kept_of_a_turn_that_is_gone(conversations: Conversations, tenant: Tenant) -> None:
    conversations.append(run(tenant, 1), "ada", "c", turn(1))

    assert not keep(conversations, tenant, summary(1), turn(1), turn(2))
    assert keep(conversations, tenant, summary(1), turn(1))
    assert conversations.erase(tenant, "ada", "c") == 1

    assert not keep(conversations, tenant, summary(2, follows="run_1"))
    assert not keep(conversations, tenant, summary(2), turn(1))
    assert kept(conversations, tenant) is None


def test_a_summary_is_gone_at_its_time_and_gives_way_to_a_new_one(
    conversations: Conversations, tenant: Tenant, clock: FakeClock
) -> None:
    conversations.append(run(tenant, 1), "ada", "c", turn(1))
    assert keep(conversations, tenant, summary(1, until=KEPT_UNTIL - 10), turn(1))

    clock.advance(KEPT_UNTIL - 10 - clock.now())

    assert kept(conversations, tenant) is None
    assert keep(conversations, tenant, summary(2), turn(1))
    assert kept(conversations, tenant) == "summary 2"


@pytest.mark.guarantee_e
def test_a_summary_is_only_for_who_holds_the_same_labels(
    conversations: Conversations, tenant: Tenant, other_tenant: Tenant
) -> None:
    conversations.append(run(tenant, 1), "ada", "c", turn(1))
    assert keep(conversations, tenant, summary(1, labels=("board", "staff")), turn(1))
    assert keep(conversations, tenant, summary(2), turn(1))

    assert kept(conversations, tenant, "staff", "board") == "summary 1"
    assert kept(conversations, tenant) == "summary 2"
    assert kept(conversations, tenant, "staff") is None
    assert conversations.summary(other_tenant, "ada", "c", labels=()) is None
    assert conversations.summary(tenant, "bob", "c", labels=()) is None
