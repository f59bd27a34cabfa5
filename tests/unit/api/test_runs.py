"""Runs: accepted once, started once, told as they stand."""

from dataclasses import replace

import pytest

from plinth.contracts.access import CachePolicy
from plinth.contracts.runs import Run, RunStatus
from plinth.errors import StoreUnavailableError
from tests.fakes.objects import FakeMachines
from tests.unit.access.world import ALICE, ANSWER, BOB, TIER, World
from tests.unit.api.client import Client


class UnreachableMachines(FakeMachines):
    """Step Functions that answer nothing."""

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        raise StoreUnavailableError("throttled")


def run_of(world: World, run_id: str) -> Run:
    record = world.runs.get(ALICE, run_id)
    return Run(id=run_id, tenant=ALICE, epoch=record.epoch, deadline=record.deadline, keep_until=record.expires_at)


def test_a_question_is_accepted_with_where_to_follow_it(client: Client) -> None:
    answer = client.ask()

    assert answer.status == 202
    run_id = answer.json["id"]
    assert answer.json == {"id": run_id, "status": "accepted", "events_url": f"/v1/runs/{run_id}/events"}
    assert answer.headers["location"] == f"/v1/runs/{run_id}"


def test_an_accepted_question_is_written_down_and_started_with_a_deadline(world: World, client: Client) -> None:
    run_id = client.ask("Why?", conversation_id="c-1", model="claude-haiku-5-5", max_output_tokens=100).json["id"]

    record = world.runs.get(ALICE, run_id)
    assert record.request.question == "Why?"
    assert record.request.conversation_id == "c-1"
    assert (record.request.model, record.request.models) == ("claude-haiku-5-5", ("claude-haiku-5-5",))
    assert (record.request.max_output_tokens, record.request.user) == (100, "someone")
    assert record.deadline == world.clock.now() + 270
    assert record.expires_at == world.clock.now() + 30 * 86_400
    assert list(world.machines.answers.values()) == [run_of(world, run_id)]


def test_a_question_is_kept_in_the_form_that_documents_are_read_in(world: World, client: Client) -> None:
    run_id = client.ask("Wo liegt Zu\u0308rich?").json["id"]

    assert world.runs.get(ALICE, run_id).request.question == "Wo liegt Zürich?"


def test_without_a_model_the_default_one_answers_and_the_tier_clips_its_output(world: World, client: Client) -> None:
    request = world.runs.get(ALICE, client.ask(max_output_tokens=100_000).json["id"]).request

    assert (request.model, request.max_output_tokens) == ("plinth-local", 500)


@pytest.mark.parametrize(
    ("wanted", "allowed", "given"), [(None, 1800, 270), (900, 1800, 900), (900, 600, 600), (None, 60, 60)]
)
def test_a_run_may_take_as_long_as_it_asks_for_and_its_tier_allows(
    world: World, client: Client, wanted: int | None, allowed: int, given: int
) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, deadline_seconds=allowed)

    run_id = client.ask(deadline_seconds=wanted).json["id"]

    assert world.runs.get(ALICE, run_id).deadline == world.clock.now() + given


@pytest.mark.parametrize(("wanted", "allowed", "given"), [(None, 30, 5), (12, 30, 12), (12, 10, 10), (None, 2, 2)])
def test_a_model_has_as_many_turns_as_the_run_asks_for_and_its_tier_allows(
    world: World, client: Client, wanted: int | None, allowed: int, given: int
) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, max_turns=allowed)

    run_id = client.ask(max_turns=wanted).json["id"]

    assert world.runs.get(ALICE, run_id).request.max_turns == given


@pytest.mark.guarantee_g
@pytest.mark.parametrize("policy", CachePolicy)
def test_a_run_carries_the_cache_policy_that_its_tier_has_now(
    world: World, client: Client, policy: CachePolicy
) -> None:
    world.tenants.tiers[ALICE] = replace(world.tenants.tiers[ALICE], cache=policy)

    assert world.runs.get(ALICE, client.ask().json["id"]).request.cache is policy


def test_a_model_outside_the_tier_is_refused_with_those_inside_it(world: World, client: Client) -> None:
    answer = client.ask(model="gigantic")

    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_request", "model")
    assert "use one of plinth-local, claude-haiku-5-5, fast, self-hosted-first" in answer.json["detail"]
    assert not world.runs.rows


def test_a_run_is_written_down_with_those_tools_of_its_tier_that_it_names(world: World, client: Client) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, tools=("calculate", "search_memory"))

    some = client.ask(tools=["search_memory", "calculate", "calculate"], model="claude-haiku-5-5")
    none = client.ask()

    assert world.runs.get(ALICE, some.json["id"]).request.tools == ("calculate", "search_memory")
    assert world.runs.get(ALICE, none.json["id"]).request.tools == ()


@pytest.mark.parametrize(
    ("tools", "remedy"), [(("calculate",), "use some of calculate"), ((), "leave them out")], ids=["some", "none"]
)
def test_a_tool_outside_the_tier_is_refused_with_those_inside_it(
    world: World, client: Client, tools: tuple[str, ...], remedy: str
) -> None:
    world.tenants.tiers[ALICE] = replace(TIER, tools=tools)

    answer = client.ask(tools=["fetch_url"])

    assert (answer.status, answer.json["field"]) == (400, "tools")
    assert remedy in answer.json["detail"]
    assert not world.runs.rows


def test_tools_are_asked_of_a_model_that_can_and_of_no_other(world: World, client: Client) -> None:
    models = ("claude-haiku-5-5", "gpt-6-luna")
    world.tenants.tiers[ALICE] = replace(TIER, tools=("calculate",), models=models)

    answer = client.ask(tools=["calculate"], model="gpt-6-luna")
    route = client.ask(tools=["calculate"], model="fast")

    assert (answer.status, answer.json["field"]) == (400, "tools")
    assert "gpt-6-luna takes no tools" in answer.json["detail"]
    assert world.runs.get(ALICE, route.json["id"]).request.models == ("claude-haiku-5-5",)


def test_a_route_is_written_down_with_those_of_its_models_that_the_tier_may_use(world: World, client: Client) -> None:
    request = world.runs.get(ALICE, client.ask(model="fast").json["id"]).request

    assert (request.model, request.models) == ("fast", ("claude-haiku-5-5",))


@pytest.mark.guarantee_a
def test_the_same_key_with_the_same_body_is_the_same_run_started_once(world: World, client: Client) -> None:
    first, second = (client.ask(headers={"Idempotency-Key": "k 1"}) for _ in range(2))

    assert (first.status, second.status, first.json) == (202, 202, second.json)
    assert len(world.runs.rows) == len(world.machines.answers) == 1


@pytest.mark.guarantee_a
def test_the_same_key_is_the_same_run_though_its_tier_has_lost_the_model(world: World, client: Client) -> None:
    first = client.ask(headers={"Idempotency-Key": "k"}, model="claude-haiku-5-5")
    world.tenants.tiers[ALICE] = replace(TIER, models=("plinth-local",))

    second = client.ask(headers={"Idempotency-Key": "k"}, model="claude-haiku-5-5")

    assert (second.status, second.json) == (202, first.json)
    assert client.ask(model="claude-haiku-5-5").status == 400


@pytest.mark.guarantee_a
def test_the_same_key_with_another_body_is_a_conflict_without_effect(world: World, client: Client) -> None:
    client.ask("Why?", headers={"Idempotency-Key": "k"})

    answer = client.ask("How?", headers={"Idempotency-Key": "k"})

    assert (answer.status, answer.code) == (409, "idempotency_conflict")
    assert len(world.runs.rows) == 1


@pytest.mark.guarantee_a
def test_a_retry_starts_the_run_that_an_earlier_request_accepted_and_left(world: World, client: Client) -> None:
    run_id = client.ask(headers={"Idempotency-Key": "k"}).json["id"]
    world.machines.answers.clear()

    client.ask(headers={"Idempotency-Key": "k"})

    assert [run.id for run in world.machines.answers.values()] == [run_id]


@pytest.mark.guarantee_a
def test_a_retry_does_not_start_a_run_that_is_under_way(world: World, client: Client) -> None:
    run_id = client.ask(headers={"Idempotency-Key": "k"}).json["id"]
    world.executions.claim(run_of(world, run_id), owner="x")
    world.machines.answers.clear()

    answer = client.ask(headers={"Idempotency-Key": "k"})

    assert (answer.json["id"], answer.json["status"]) == (run_id, "running")
    assert not world.machines.answers


@pytest.mark.guarantee_e
def test_tenants_may_use_the_same_idempotency_key(world: World, client: Client) -> None:
    mine = client.ask("Why?", headers={"Idempotency-Key": "k"})
    theirs = Client(world, world.issue(BOB)).ask("How?", headers={"Idempotency-Key": "k"})

    assert (mine.status, theirs.status) == (202, 202)
    assert mine.json["id"] != theirs.json["id"]


@pytest.mark.guarantee_e
def test_users_may_use_the_same_idempotency_key_and_get_runs_of_their_own(world: World, client: Client) -> None:
    mine = client.ask(headers={"Idempotency-Key": "k"})
    world.end(run_of(world, mine.json["id"]))

    theirs = Client(world, world.issue(user="else")).ask(headers={"Idempotency-Key": "k"})

    assert (theirs.status, theirs.json["status"]) == (202, "accepted")
    assert mine.json["id"] != theirs.json["id"]


@pytest.mark.guarantee_e
def test_a_key_of_fewer_labels_gets_no_run_by_its_idempotency_key(world: World, client: Client) -> None:
    insider = Client(world, world.issue(labels=("board",)))
    run_id = insider.ask(headers={"Idempotency-Key": "k"}).json["id"]
    world.end(run_of(world, run_id))

    answer = client.ask(headers={"Idempotency-Key": "k", "Prefer": "wait=1"})

    assert (answer.status, answer.code) == (409, "idempotency_conflict")
    assert run_id not in answer.text
    assert insider.ask(headers={"Idempotency-Key": "k", "Prefer": "wait=1"}).json["id"] == run_id


@pytest.mark.guarantee_a
def test_a_run_that_cannot_be_started_is_ended_and_the_caller_told(world: World, client: Client) -> None:
    world.services.machines = UnreachableMachines()

    answer = client.ask()

    assert (answer.status, answer.code) == (503, "unavailable")
    [row] = world.runs.rows.values()
    assert row.record.status is RunStatus.FAILED
    assert row.record.failure is not None
    assert row.record.failure.reason == "not_started"


def test_an_ended_run_is_read_with_its_answer(world: World, client: Client) -> None:
    run_id = client.ask().json["id"]
    world.end(run_of(world, run_id))

    answer = client.call("GET", f"/v1/runs/{run_id}")

    assert (answer.status, answer.json["status"], answer.json["answer"]["text"]) == (200, "done", ANSWER.text)
    assert answer.json["ended_at"] == world.clock.now()
    assert "tenant" not in answer.text


@pytest.mark.guarantee_e
def test_a_foreign_run_is_as_absent_as_one_that_never_was(world: World, client: Client) -> None:
    foreign = world.accepted_run(BOB).id
    absent = "run_" + "z" * 26

    answers = [client.call("GET", f"/v1/runs/{run_id}") for run_id in (foreign, absent)]

    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].text.replace(foreign, "") == answers[1].text.replace(absent, "")


def test_a_run_can_be_cancelled_any_number_of_times(world: World, client: Client) -> None:
    run_id = client.ask().json["id"]

    answers = [client.call("POST", f"/v1/runs/{run_id}/cancel") for _ in range(2)]

    assert [(each.status, each.json["status"]) for each in answers] == [(202, "accepted")] * 2
    assert world.runs.get(ALICE, run_id).unwanted


def test_a_run_that_has_ended_is_told_as_it_is(world: World, client: Client) -> None:
    run = world.accepted_run()
    world.end(run)

    answer = client.call("POST", f"/v1/runs/{run.id}/cancel")

    assert (answer.status, answer.json["status"]) == (202, "done")


@pytest.mark.parametrize("run_id", ["run_" + "0" * 26, "nonsense"])
def test_a_run_that_is_not_there_can_not_be_cancelled(client: Client, run_id: str) -> None:
    answer = client.call("POST", f"/v1/runs/{run_id}/cancel")

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.guarantee_e
def test_the_run_of_another_tenant_can_not_be_cancelled(world: World, client: Client) -> None:
    run_id = client.ask().json["id"]

    answer = Client(world, world.issue(BOB)).call("POST", f"/v1/runs/{run_id}/cancel")

    assert (answer.status, answer.code) == (404, "not_found")
    assert not world.runs.get(ALICE, run_id).unwanted


def test_a_run_is_asked_with_how_its_tier_remembers_conversations(world: World, client: Client) -> None:
    usual = client.ask("Why?")
    assert world.runs.get(ALICE, usual.json["id"]).request.remember_until == 0
    tier = replace(world.tenants.tiers[ALICE], conversation_days=7, summary_model="claude-haiku-5-5")
    world.tenants.tiers[ALICE] = tier

    asked = world.runs.get(ALICE, client.ask("And now?").json["id"]).request

    assert asked.remember_until == int(world.clock.now()) + 7 * 86_400
    assert asked.summary_model == "claude-haiku-5-5"
