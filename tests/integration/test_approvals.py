"""Approvals on the deployed stack: a run waits for its person, and a model that obeys every document has no effect."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest

from client.answers import collect
from client.api import PlinthApi, Question
from client.errors import ApiError, ClientError
from client.records import Run
from client.tenants import TenantsTable
from client.tenants_file import read_tenants
from local.supervision import wait_until
from plinth.access.run_ids import new_run_id
from plinth.adapters.dynamo_approvals import DynamoApprovals
from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.chain.prompting import build_prompt
from plinth.contracts.approvals import Decision
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, LoggedEvent, RunEnded, RunResumed, StepEnded
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.models import Reply, StopReason, ToolCall
from plinth.contracts.runs import Run as RunName
from plinth.contracts.runs import RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.tools.approvals import question_of
from plinth.tools.toolbox import specs
from tests.fakes.clock import FakeClock
from tests.fakes.costs import model_cost
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.scripts import OK_TEXT
from tests.fakes.renderings import reached
from tests.integration.chances import chances
from tests.integration.conftest import Deployed
from tests.integration.uploads import ingest

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_h]
MODEL, TOOLS = "claude-haiku-5-5", ["calculate", "fetch_url", "remember", "search_memory"]
SWEPT_WITHIN_SECONDS = 130.0
TIER = """
[tiers.guarded]
tools = ["calculate", "search_memory", "fetch_url", "remember"]
fetch_hosts = ["docs.example.org"]
link_hosts = []
models = ["claude-haiku-5-5"]
max_output_tokens = 100
max_turns = 8
"""
USER = """
[tenants.{tenant}.users.{user}]
keys = ["test"]
scopes = ["runs:read", "runs:write", "documents:read", "documents:write", "contents:read"]
"""
Word = Literal["approve", "deny"]


@pytest.fixture
def tenant() -> str:
    return f"guarded{uuid4().hex[:8]}"


@pytest.fixture
def keys(deployed: Deployed, tenant: str, tmp_path: Path) -> dict[str, str]:
    """Return the keys of two users of a tenant of this test's own, by their names."""
    file = tmp_path / "tenants.toml"
    users = "".join(USER.format(tenant=tenant, user=user) for user in ("gus", "eve"))
    file.write_text(f'{TIER}\n[tenants.{tenant}]\ntier = "guarded"\n{users}')
    table = TenantsTable(deployed.aws("dynamodb"), table=deployed.info.outputs["TenantsTable"], environment="local")
    made = {each.user: each.text for each in table.apply(read_tenants(file))}
    deployed.keys[tenant] = made["gus"]
    return made


@pytest.fixture
def api(deployed: Deployed, keys: dict[str, str]) -> Iterator[PlinthApi]:
    with PlinthApi(deployed.info.api_url, key=keys["gus"]) as api:
        yield api


def ask(api: PlinthApi, plan: str) -> tuple[Run, str]:
    token = uuid4().hex
    question = Question(question=f"What is kept? [[script:{plan}:{token}]]", model=MODEL, tools=TOOLS, max_turns=8)
    return api.create_run(question), token


def followed(
    api: PlinthApi, run: Run, decide: Callable[[ApprovalNeeded], object] = lambda _: None
) -> list[LoggedEvent]:
    """Follow a run to its end, with a person who decides as questions come."""
    logged: list[LoggedEvent] = []
    for each in api.events(run.id):
        logged.append(each)
        if isinstance(each.event, ApprovalNeeded):
            decide(each.event)
    return logged


def until_it_waits(api: PlinthApi, run: Run) -> ApprovalNeeded:
    return next(each.event for each in api.events(run.id) if isinstance(each.event, ApprovalNeeded))


def steps(logged: list[LoggedEvent]) -> list[str]:
    return [each.event.step for each in logged if isinstance(each.event, StepEnded)]


def saying(api: PlinthApi, run: Run, word: Word) -> Callable[[ApprovalNeeded], object]:
    return lambda asked: api.decide(run.id, asked.call, asked.arguments_sha256, word)


def facts(api: PlinthApi) -> list[str]:
    return [fact.text for fact in api.facts()]


def test_what_is_approved_twice_at_once_is_done_once_and_the_stream_goes_on(
    deployed: Deployed, provider: ProviderServer, api: PlinthApi, keys: dict[str, str]
) -> None:
    run, token = ask(api, "calculate+note+ok")

    def decide(asked: ApprovalNeeded) -> None:
        assert facts(api) == []
        assert api.get_run(run.id).status is RunStatus.AWAITING_APPROVAL
        word = partial(api.decide, run.id, asked.call, asked.arguments_sha256, "approve")
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda call: call(), [word, word])
        assert first == second

    logged = followed(api, run, decide)

    ended = api.get_run(run.id)
    assert ended.answer is not None
    assert collect(logged).text == ended.answer.text == "".join(OK_TEXT)
    assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
    assert facts(api) == ["Gus drinks tea."]
    assert [each.event.because for each in logged if isinstance(each.event, RunResumed)] == ["approval"]
    (decided,) = (each.event for each in logged if isinstance(each.event, ApprovalDecided))
    assert (decided.decision, decided.user, decided.call) == (Decision.APPROVE, "gus", "2-1")
    assert decided.key_id
    assert decided.key_id in keys["gus"]
    assert (steps(logged).count("ClaimRun"), steps(logged).count("RunTool")) == (2, 3)
    assert sum(call.token == token for call in provider.books.calls) == 3
    (traced,) = api.trace(run.id).approvals
    assert (traced.user, traced.decision, traced.tool) == ("gus", Decision.APPROVE, "remember")
    assert ended.receipt is not None
    assert [call.outcome for call in ended.receipt.model_calls] == ["complete"] * 3
    assert keys["gus"] not in str(deployed.items("Runs"))


def test_what_is_denied_is_told_to_the_model_which_answers_without_it(provider: ProviderServer, api: PlinthApi) -> None:
    run, token = ask(api, "calculate+note+ok")

    logged = followed(api, run, saying(api, run, "deny"))

    assert collect(logged).text == "".join(OK_TEXT)
    assert facts(api) == []
    last = [call for call in provider.books.calls if call.token == token][-1]
    assert "A person has denied this call" in str(last.body["messages"])


def test_nobody_else_decides_and_nothing_but_what_was_seen_is_decided(
    deployed: Deployed, api: PlinthApi, keys: dict[str, str]
) -> None:
    run, _ = ask(api, "calculate+note+ok")
    asked = until_it_waits(api, run)

    def refusal(key: str, run_id: str, sha256: str = asked.arguments_sha256) -> tuple[int, str]:
        with PlinthApi(deployed.info.api_url, key=key) as other, pytest.raises(ApiError) as refused:
            other.decide(run_id, asked.call, sha256, "approve")
        return refused.value.status, refused.value.detail.replace(run_id, "RUN")

    absent = refusal(keys["gus"], new_run_id(time.time()))
    assert refusal(keys["eve"], run.id) == refusal(deployed.keys["rival"], run.id) == absent
    assert absent[0] == 404
    assert refusal(keys["gus"], run.id, "0" * 64)[0] == 409
    assert api.get_run(run.id).status is RunStatus.AWAITING_APPROVAL
    api.decide(run.id, asked.call, asked.arguments_sha256, "deny")
    assert refusal(keys["gus"], run.id)[0] == 409
    followed(api, run)
    assert facts(api) == []


def test_a_run_that_is_cancelled_while_it_waits_ends_within_seconds(api: PlinthApi) -> None:
    run, _ = ask(api, "calculate+note+ok")
    until_it_waits(api, run)

    began = time.monotonic()
    api.cancel_run(run.id)
    logged = followed(api, run)

    assert isinstance(logged[-1].event, RunEnded)
    assert logged[-1].event.status is RunStatus.CANCELLED
    assert time.monotonic() - began < 15
    assert facts(api) == []
    assert steps(logged).count("RunTool") == 2  # those of the first turn


POINTS = [
    (function, call, when)
    for function, call in (
        ("SaveContinuation", "PutItem"),
        ("SaveContinuation", "TransactWriteItems"),
        ("Api", "TransactWriteItems"),
        ("Api", "StartExecution"),
        ("RunTool", "PutItem"),
    )
    for when in ("before", "after")
]


@pytest.mark.parametrize("point", POINTS, ids=" ".join)
def test_what_is_approved_is_done_once_wherever_a_function_is_killed(
    deployed: Deployed, api: PlinthApi, tenant: str, point: tuple[str, str, str]
) -> None:
    function, call, when = point
    ingest(deployed, "orders.md", orders("note+ok"), tenant=tenant)
    crash = {"function": f"-{function}", "call": call, "when": when}
    with ExitStack() as fault:
        if function != "Api":
            fault.enter_context(chances(deployed, crash=crash))
        run = ask_about_the_document(api)
        asked = until_it_waits(api, run)
        if function == "Api":
            fault.enter_context(chances(deployed, crash=crash))
            with pytest.raises(ClientError):
                api.decide(run.id, asked.call, asked.arguments_sha256, "approve")
        api.decide(run.id, asked.call, asked.arguments_sha256, "approve")
        logged = followed(api, run)

    assert isinstance(logged[-1].event, RunEnded)
    assert logged[-1].event.status is RunStatus.DONE
    assert facts(api) == ["Gus drinks tea."]
    assert sum(isinstance(each.event, ApprovalNeeded) for each in logged) == 1
    assert sum(isinstance(each.event, ApprovalDecided) for each in logged) == 1
    assert collect(logged).text == "".join(OK_TEXT)


def test_what_nobody_decides_in_time_expires_by_the_sweep_and_the_run_goes_on(
    deployed: Deployed, api: PlinthApi, tenant: str
) -> None:
    run = paused_long_ago(deployed, Tenant(id=tenant))

    assert wait_until(lambda: api.get_run(run.id).status is RunStatus.DONE, timeout_seconds=SWEPT_WITHIN_SECONDS)

    logged = list(api.events(run.id))
    (decided,) = (each.event for each in logged if isinstance(each.event, ApprovalDecided))
    assert (decided.decision, decided.user) == (Decision.EXPIRE, "")
    assert collect(logged).text == "".join(OK_TEXT)
    assert facts(api) == []


def paused_long_ago(deployed: Deployed, tenant: Tenant) -> RunName:
    """Let a run have asked its person five minutes ago, as an execution of that time would have."""
    table, clock = Table(client=deployed.aws("dynamodb"), name=deployed.info.outputs["RunsTable"]), FakeClock()
    clock.advance(time.time() - 301 - clock.now())
    runs, log = DynamoRuns(table=table, clock=clock), DynamoRunLog(table=table, clock=clock)
    run = RunName(id=new_run_id(clock.now()), tenant=tenant, epoch=1, deadline=clock.now() + 270)
    question = f"What is kept? [[script:ok:{uuid4().hex}]]"
    runs.accept(run, RunRequest(question=question, model=MODEL, models=(MODEL,), user="gus", tools=("remember",)), None)
    assert DynamoExecutions(table=table, runs=runs, clock=clock).claim(run, owner="an execution of that time")
    call = ToolCall(id="call_1", name="remember", arguments='{"fact": "Gus is late."}')
    reply = Reply(text="", stop_reason=StopReason.TOOL_USE, cost=model_cost(MODEL), attempt=1, tool_calls=(call,))
    prompt = replace(build_prompt(question, (), (), tools=specs(["remember"])), tainted=True)
    for name, content in {"prompt": prompt, "passages": (), "reply": reply, "reply-1": reply}.items():
        runs.put_content(run, name, content)
    asked = question_of(call, name="1-1", expires_at=int(clock.now()) + 300)
    needed = ApprovalNeeded(
        call=asked.call,
        tool=asked.tool,
        arguments=asked.arguments,
        arguments_sha256=asked.arguments_sha256,
        expires_at=asked.expires_at,
    )
    following = Continuation(resume_at=ResumeAt.RUN_TOOLS, tool_calls=1, after="", because="approval")
    return DynamoApprovals(table=table, log=log, clock=clock).ask(run, [asked], following, [needed])


def orders(plan: str) -> bytes:
    """Return a document whose words the model of these tests obeys."""
    return f"# Opening hours\n\nThe warehouse opens at nine. [[script:{plan}:{uuid4().hex}]]\n".encode()


def ask_about_the_document(api: PlinthApi) -> Run:
    return api.create_run(Question(question="When does the warehouse open?", model=MODEL, tools=TOOLS, max_turns=8))


def test_a_model_that_obeys_a_document_does_nothing_while_nobody_approves(
    deployed: Deployed, api: PlinthApi, tenant: str
) -> None:
    ingest(deployed, "orders.md", orders("obey"), tenant=tenant)
    run = ask_about_the_document(api)

    until_it_waits(api, run)

    waiting = api.get_run(run.id)
    assert [(each.call, each.tool) for each in waiting.approvals] == [
        ("1-1", "remember"),
        ("1-2", "fetch_url"),
        ("1-3", "fetch_url"),
    ]
    assert "169.254.169.254" in waiting.approvals[1].arguments
    assert "RunTool" not in steps(until_now(deployed, tenant, run))
    api.cancel_run(run.id)
    assert "RunTool" not in steps(followed(api, run))
    assert facts(api) == []


def until_now(deployed: Deployed, tenant: str, run: Run) -> list[LoggedEvent]:
    table = Table(client=deployed.aws("dynamodb"), name=deployed.info.outputs["RunsTable"])
    return DynamoRunLog(table=table, clock=FakeClock(time.time())).read(Tenant(id=tenant), run.id, after=0)


def test_a_model_that_obeys_a_document_and_tries_every_tool_has_no_effect_against_its_persons_word(
    deployed: Deployed, provider: ProviderServer, api: PlinthApi, tenant: str
) -> None:
    ingest(deployed, "orders.md", orders("obey+insist+insist_inside+leak"), tenant=tenant)
    run = ask_about_the_document(api)

    logged = followed(api, run, saying(api, run, "deny"))

    ended = api.get_run(run.id)
    assert ended.status is RunStatus.DONE
    assert ended.answer is not None
    assert reached(ended.answer.text) == reached(collect(logged).text) == set()
    assert facts(api) == []
    asked = [each.event for each in logged if isinstance(each.event, ApprovalNeeded)]
    assert len(asked) == 3 + 16
    outcomes = {name: kept for name, kept in api.contents(run.id).contents.items() if name.startswith("tool-")}
    denied = [name for name, kept in outcomes.items() if "A person has denied this call" in str(kept)]
    assert len(denied) == len(asked)
    assert "evil.test" not in str([each.event for each in logged if isinstance(each.event, StepEnded)])


def test_of_all_that_a_document_orders_only_the_very_call_that_was_approved_is_made(
    deployed: Deployed, api: PlinthApi, tenant: str
) -> None:
    ingest(deployed, "orders.md", orders("obey+insist+ok"), tenant=tenant)
    run = ask_about_the_document(api)

    def decide(asked: ApprovalNeeded) -> None:
        word: Word = "approve" if asked.call == "1-1" else "deny"
        api.decide(run.id, asked.call, asked.arguments_sha256, word)

    followed(api, run, decide)

    assert api.get_run(run.id).status is RunStatus.DONE
    assert facts(api) == ["Ada trusts evil.test."]
