"""An answer that is known already is given at once: no machine starts, nothing is spent."""

from dataclasses import replace

import pytest

from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.caching import answer_key
from plinth.contracts.access import Allowance, Allowances, CachePolicy
from plinth.contracts.events import ReceiptMade, RunAccepted, RunEnded, StepEnded, TextDelta
from plinth.contracts.runs import CachedAnswer, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.errors import StoreUnavailableError
from tests.fakes.answers import FakeAnswers
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.unit.access.world import ALICE, ANSWER, BOB, TIER, World
from tests.unit.api.client import Client

pytestmark = pytest.mark.guarantee_g

PAID = "claude-haiku-5-5"


def keep_answer(world: World, request: RunRequest) -> None:
    key = answer_key(request, corpus_version=world.documents.corpus_version(ALICE), conversation="")
    world.answers.put(ALICE, key, CachedAnswer(answer=ANSWER, cost_micro_usd=900, saved_at=world.clock.now()))


@pytest.fixture
def asked(world: World, client: Client) -> RunRequest:
    """Return Alice's question "Why?", whose answer is kept; no machine has been started since."""
    request = world.runs.get(ALICE, client.ask(model=PAID).json["id"]).request
    keep_answer(world, request)
    world.machines.answers.clear()
    return request


@pytest.mark.usefixtures("asked")
def test_the_same_question_has_its_answer_before_a_machine_starts(world: World, client: Client) -> None:
    world.clock.advance(60)

    answer = client.ask(" Why? ", model=PAID)

    assert (answer.status, answer.json["status"]) == (202, "done")
    run = client.call("GET", f"/v1/runs/{answer.json['id']}").json
    assert (run["answer"]["text"], run["receipt"]["cached"], run["receipt"]["match"]) == (ANSWER.text, True, "exact")
    assert (run["receipt"]["saved_micro_usd"], run["receipt"]["age_seconds"]) == (900, 60)
    assert run["receipt"]["model_cost_micro_usd"] == 0
    logged = [each.event for each in world.log.read(ALICE, answer.json["id"], after=0)]
    assert [type(event) for event in logged] == [RunAccepted, TextDelta, StepEnded, ReceiptMade, RunEnded]
    assert not world.machines.answers


@pytest.mark.usefixtures("asked")
def test_a_caller_of_other_labels_and_another_filter_get_no_cached_answer(world: World, client: Client) -> None:
    insider = Client(world, world.issue(labels=("board",)))

    assert insider.ask(model=PAID).json["status"] == "accepted"
    assert client.ask(model=PAID, filter={"metadata": {"year": "2026"}}).json["status"] == "accepted"
    world.clock.advance(60)
    assert client.ask(model=PAID).json["status"] == "done"


@pytest.mark.usefixtures("asked")
def test_who_waits_gets_the_answer_itself_and_a_repeat_the_same_run(world: World, client: Client) -> None:
    headers = {"Prefer": "wait=5", "Idempotency-Key": "once"}

    first, again = (client.ask(model=PAID, headers=headers) for _ in range(2))

    assert (first.status, first.json["answer"]["text"]) == (200, ANSWER.text)
    assert again.json == first.json
    assert not world.machines.answers


@pytest.mark.usefixtures("asked")
def test_a_known_answer_is_given_when_the_budget_is_used_up(world: World, client: Client) -> None:
    world.services.ledger = LedgerOverRows(FakeLedgerRows(), clock=world.clock)
    world.tenants.tiers[ALICE] = replace(TIER, budgets=Allowances(tenant=Allowance(day_micro_usd=0), revision=1))

    assert client.ask("Another?", model=PAID).code == "budget_exceeded"
    assert client.ask(model=PAID).json["status"] == "done"


@pytest.mark.usefixtures("asked")
def test_a_known_answer_takes_a_request_but_no_tokens_and_no_place(world: World, client: Client) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, burst=5, tokens_per_minute=1000, concurrent_runs=2)

    answers = [client.ask(model=PAID) for _ in range(5)]

    assert [answer.json.get("status") for answer in answers].count("done") == 4  # the fixture's run took the fifth
    assert answers[-1].code == "rate_limited"
    assert not world.machines.answers


@pytest.mark.parametrize(
    "fields",
    [{"question": "Why not?"}, {"conversation_id": "c-1"}, {"max_output_tokens": 7}, {"model": "plinth-local"}],
)
@pytest.mark.usefixtures("asked")
def test_anything_that_could_change_the_answer_starts_a_machine(
    world: World, client: Client, fields: dict[str, object]
) -> None:
    body: dict[str, object] = {"question": "Why?", "model": PAID, **fields}

    assert client.call("POST", "/v1/runs", body).json["status"] == "accepted"
    assert len(world.machines.answers) == 1


@pytest.mark.usefixtures("asked")
def test_changed_documents_start_a_machine(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def raised(_tenant: Tenant) -> int:
        return 7

    monkeypatch.setattr(world.documents, "corpus_version", raised)

    assert client.ask(model=PAID).json["status"] == "accepted"


@pytest.mark.usefixtures("asked")
def test_a_tier_without_a_cache_starts_a_machine(world: World, client: Client) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, cache=CachePolicy.OFF)

    assert client.ask(model=PAID).json["status"] == "accepted"


@pytest.mark.guarantee_e
@pytest.mark.usefixtures("asked")
def test_another_tenant_is_not_given_the_answer(world: World) -> None:
    assert Client(world, world.issue(BOB)).ask(model=PAID).json["status"] == "accepted"


class SilentAnswers(FakeAnswers):
    """A table of answers that can't be read."""

    def get(self, tenant: Tenant, key: str) -> CachedAnswer | None:
        raise StoreUnavailableError("throttled")


@pytest.mark.usefixtures("asked")
def test_a_store_that_fails_starts_a_machine(world: World, client: Client) -> None:
    world.services.answers = SilentAnswers(world.clock)

    assert client.ask(model=PAID).json["status"] == "accepted"
