"""The contract of `Facts`, held by the fake and by DynamoDB."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plinth.adapters.dynamo_facts import DynamoFacts
from plinth.adapters.dynamo_rows import Rows
from plinth.contracts.conversations import MAX_FACT_CHARACTERS, MAX_FACTS
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.ports.facts import Facts
from tests.fakes.clock import FakeClock
from tests.fakes.facts import FakeFacts
from tests.fakes.models import FakeEmbedder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from plinth.adapters.dynamodb_table import Table


@pytest.fixture(params=["fake", "dynamodb"])
def facts(request: pytest.FixtureRequest, clock: FakeClock) -> Facts:
    if request.param == "fake":
        return FakeFacts(clock)
    table: Table = request.getfixturevalue("table")
    dynamodb: DynamoDBClient = request.getfixturevalue("dynamodb")
    rows = Rows(client=dynamodb, name=table.name)
    return DynamoFacts(table=table, rows=rows, clock=clock, embedder=FakeEmbedder)


@pytest.fixture
def run(tenant: Tenant, clock: FakeClock) -> Run:
    return Run(id="run_1", tenant=tenant, epoch=1, deadline=clock.now() + 270)


def vector(text: str) -> list[float]:
    return FakeEmbedder().embed([text])[0]


def test_facts_come_newest_first_with_where_they_came_from(facts: Facts, run: Run, clock: FakeClock) -> None:
    older = facts.keep(run, "ada", "Ada runs Debian 12.", documents=["doc_2", "doc_1", "doc_2"])
    clock.advance(1)
    newer = facts.keep(run, "ada", "Ada  likes\n apt.")

    assert facts.all(run.tenant, "ada") == [newer, older]
    assert (newer.text, newer.run_id, newer.expires_at) == ("Ada likes apt.", "run_1", run.expires_at)
    assert older.documents == ("doc_1", "doc_2")


def test_the_same_words_are_one_fact_which_is_renewed(facts: Facts, run: Run, clock: FakeClock) -> None:
    facts.keep(run, "ada", "Ada likes apt.")
    clock.advance(5)
    again = facts.keep(replace(run, keep_until=run.expires_at + 9), "ada", "ADA LIKES APT.")

    assert facts.all(run.tenant, "ada") == [again]
    assert again.expires_at == run.expires_at + 9


def test_the_facts_nearest_in_meaning_come_first(facts: Facts, run: Run) -> None:
    for text in ("the server is called moon", "ada likes green tea", "backups run on monday"):
        facts.keep(run, "ada", text)

    nearest = facts.nearest(run.tenant, "ada", vector("green tea is what ada likes"), limit=2)

    assert nearest[0].text == "ada likes green tea"
    assert len(nearest) == 2


def test_a_fact_is_gone_when_its_time_is_over(facts: Facts, run: Run, clock: FakeClock) -> None:
    facts.keep(run, "ada", "Ada likes apt.")

    clock.advance(run.expires_at - clock.now())

    assert facts.all(run.tenant, "ada") == []
    assert facts.nearest(run.tenant, "ada", vector("apt"), limit=5) == []


def test_beyond_the_limit_the_oldest_gives_way_and_a_long_text_is_cut(facts: Facts, run: Run, clock: FakeClock) -> None:
    for number in range(MAX_FACTS + 1):
        clock.advance(1)
        facts.keep(run, "ada", f"fact number {number} " + "x" * MAX_FACT_CHARACTERS)

    kept = facts.all(run.tenant, "ada")

    assert len(kept) == MAX_FACTS
    assert not [fact for fact in kept if fact.text.startswith("fact number 0 ")]
    assert {len(fact.text) for fact in kept} == {MAX_FACT_CHARACTERS}


def test_an_erased_fact_is_gone_and_an_unknown_one_is_not_found(facts: Facts, run: Run) -> None:
    fact, other = facts.keep(run, "ada", "Ada likes apt."), facts.keep(run, "ada", "Ada likes tea.")

    facts.erase(run.tenant, "ada", fact.id)

    assert facts.all(run.tenant, "ada") == [other]
    with pytest.raises(NotFoundError):
        facts.erase(run.tenant, "ada", fact.id)


def test_a_fact_without_a_word_is_refused(facts: Facts, run: Run) -> None:
    with pytest.raises(ValueError, match="needs words"):
        facts.keep(run, "ada", " \n ")


@pytest.mark.guarantee_e
def test_facts_of_other_tenants_and_users_stay_apart(facts: Facts, run: Run, other_tenant: Tenant) -> None:
    fact = facts.keep(run, "a#b", "Ada likes apt.")

    for tenant, user in ((other_tenant, "a#b"), (run.tenant, "a"), (run.tenant, "a%23b")):
        assert facts.all(tenant, user) == []
        assert facts.nearest(tenant, user, vector("apt"), limit=5) == []
        with pytest.raises(NotFoundError):
            facts.erase(tenant, user, fact.id)
