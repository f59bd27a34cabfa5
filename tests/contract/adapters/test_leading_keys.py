"""A policy by tenant, evaluated on every request that routes, stores and an export send for one of two tenants."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import boto3
import msgspec
import opensearchpy
import pytest

from cdk.step import Layer
from functions.claim_document.handler import claim_document
from functions.close_document.handler import close_document
from functions.embed_passages.handler import embed_passages
from functions.erase_passages.handler import erase_passages
from functions.index_passages.handler import index_passages
from functions.publish_document.handler import publish_document
from functions.read_document.handler import read_document
from functions.remove_passages.handler import remove_passages
from functions.split_document.handler import split_document
from plinth.chain.summarizing import AT_ONCE
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.models import ModelEnd, StopReason, ToolCall
from plinth.contracts.runs import Run, RunRequest, RunStatus, Turn
from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError
from plinth.runtime import step
from tests.cdk.assemblies import Assembly, synthesize
from tests.contract.adapters.leading_keys import Sent, refusal
from tests.contract.adapters.rights import Right, granted, needed
from tests.contract.adapters.test_two_tenants import MUTANTS, _asked
from tests.contract.adapters.two_tenants import RUN, USER, Two
from tests.fakes.answer_machine import LAMBDA, AnswerMachine
from tests.fakes.models import FakeModel, FakeTokenCounter, whole

pytestmark = pytest.mark.guarantee_e

EXCEPTIONS = {
    "dynamodb GetItem: KEY#": "a key is found by its own id, before anybody knows whose it is",
    "dynamodb GetItem: ERASURE#": "an erasure outlives its tenant's row; its tenant is looked at after it was read",
    "dynamodb TransactWriteItems: ERASURE#": "the same row, as it begins",
    "dynamodb GetItem: #INDEXES": "the environment's reindex says where a tenant's first passages go",
    "dynamodb Scan: names no key": "an export reads tables whole, page by page, and drops what is not the tenant's",
}
"""Requests that a policy by tenant would refuse, and why they are sent. Sweeps and erasures have roles of their own."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """Record every request of the clients that are made from now on."""
    found: list[Sent] = []
    session = boto3.Session()

    def note(params: Mapping[str, Any], model: Any, **_: object) -> None:
        found.append(Sent(service=model.service_model.service_name, call=model.name, params=params))

    for service in ("dynamodb", "s3"):
        session.events.register(f"provide-client-params.{service}", note)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    perform = opensearchpy.Transport.perform_request

    def performed(self: Any, method: str, url: str, *given: Any, body: Any = None, **options: Any) -> Any:
        if not url.endswith("_refresh"):
            found.append(Sent(service="opensearch", call=f"{method} {url}", params={"body": body or {}}))
        return perform(self, method, url, *given, body=body, **options)

    monkeypatch.setattr(opensearchpy.Transport, "perform_request", performed)
    return found


def refused(tenant: Tenant, sent: list[Sent]) -> set[str]:
    """Return what the policy refuses but for the exceptions."""
    found = {told for each in sent if (told := refusal(tenant, each))}
    return {told for told in found if not told.startswith(tuple(EXCEPTIONS))}


@pytest.fixture
def recorded(sent: list[Sent], two: Two) -> Two:
    """Return the two tenants, with no request recorded yet."""
    sent.clear()
    return two


def test_every_request_for_a_tenant_keeps_to_its_keys_or_is_an_exception_with_a_reason(
    sent: list[Sent], recorded: Two
) -> None:
    two = recorded
    _asked(two)
    two.furnish(two.asking, run_id="run_" + "c" * 26, words="peaches are sour", copies=2)

    assert {each.service for each in sent} == {"dynamodb", "s3", "opensearch"}
    assert refused(two.asking, sent) == set()
    told = [refusal(two.asking, each) or "" for each in sent]
    assert [name for name in EXCEPTIONS if not any(each.startswith(name) for each in told)] == []


def test_a_request_for_another_tenants_key_is_refused(sent: list[Sent], recorded: Two) -> None:
    two = recorded
    two.furnish(two.other, run_id=RUN, words="peaches are sweet", copies=1)

    by_service = {told.split()[0] for told in refused(two.asking, sent)}

    assert by_service == {"dynamodb", "s3", "opensearch"}


def synthesized(environment: str, making: pytest.TempPathFactory) -> Assembly:
    """Return the templates of an environment, over stand-ins for the layers."""
    folder = making.mktemp("layers")
    for layer in Layer:
        (folder / layer / "python").mkdir(parents=True)
        (folder / layer / "python" / "code.py").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLINTH_LAYERS_DIR", str(folder))
        return synthesize(environment, making.mktemp(environment))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Return the templates of the laptop's environment."""
    return synthesized("local", tmp_path_factory)


def too_much(template: Assembly, by_step: Mapping[str, list[Sent]], two: Two) -> dict[str, set[Right]]:
    """Return what steps did that their roles don't allow."""
    settings = two.services.settings
    used = {name: needed(each, settings) for name, each in by_step.items()}
    assert all(used.values())
    return {name: left for name, rights in used.items() if (left := rights - granted(template, name))}


def walked(two: Two, run: Run, sent: list[Sent]) -> dict[str, list[Sent]]:
    """Go through the answer machine; return what each step sent."""
    by_step: dict[str, list[Sent]] = {}
    begun = len(sent)
    for moment in AnswerMachine(two.services, two.clock).execution(run):
        told, _, step_name = moment.partition(" ")
        if told == "after":
            by_step.setdefault(step_name, []).extend(sent[begun:])
        begun = len(sent)
    return by_step


def test_every_step_of_an_answer_keeps_to_its_tenants_keys_and_to_its_role(
    sent: list[Sent], recorded: Two, monkeypatch: pytest.MonkeyPatch, template: Assembly
) -> None:
    two, now = recorded, recorded.clock.now()
    call = ToolCall(id="call_1", name="search_memory", arguments='{"query": "peaches"}')
    asks = ModelEnd(stop_reason=StopReason.TOOL_USE, usage=whole().usage, tool_calls=(call,))
    model = FakeModel(([], asks), (["Sour [1]."], whole()), (["Peaches were asked about."], whole()))
    monkeypatch.setattr(two.services, "language_model", lambda _: model)
    run = Run(id="run_" + "d" * 26, tenant=two.asking, epoch=1, deadline=now + 270)
    asked = RunRequest(
        question="peaches are sour?",
        model="claude-haiku-5-5",
        models=("claude-haiku-5-5",),
        user=USER,
        conversation_id="talk",
        summary_model="claude-haiku-5-5",
        tools=("search_memory",),
        budgets=Allowances(tenant=Allowance(day_micro_usd=10_000_000), user=Allowance(month_micro_usd=10_000_000)),
    )
    two.services.runs.accept(run, asked, None)
    for number in range(10 + AT_ONCE):
        earlier = replace(run, id=f"run_{number:026d}")
        two.services.conversations.append(earlier, USER, "talk", Turn(question="why?", answer="sour", at=now))

    by_step = walked(two, run, sent)

    assert too_much(template, by_step, two) == {}
    assert two.services.runs.get(two.asking, run.id).status is RunStatus.DONE
    assert {"CallModel", "RunTool", "SaveAnswer", "RetrieveContext", "SummarizeTurns"} <= set(by_step)
    summary = two.services.conversations.summary(two.asking, USER, "talk", labels=())
    assert summary
    assert summary.by == run.id
    breaker = "GetItem: MODEL#"  # a model's breaker is the environment's
    assert {
        name: told
        for name, each in by_step.items()
        if (told := {one for one in refused(two.asking, each) if breaker not in one})
    } == {}


def test_every_step_of_a_document_keeps_to_its_tenants_keys_and_to_its_role(
    sent: list[Sent], recorded: Two, template: Assembly
) -> None:
    two = recorded
    two.services.token_counter = FakeTokenCounter()
    version = replace(two.version(two.asking), sequence="2".rjust(32, "0"), attempt=0)

    by_step: dict[str, list[Sent]] = {}

    def does(function: Callable[..., Any], **given: object) -> dict[str, Any]:
        begun = len(sent)
        answered: dict[str, Any] = step(function, services=two.services)(msgspec.to_builtins(given), LAMBDA)
        name = "".join(word.capitalize() for word in function.__name__.split("_"))
        by_step[name] = [each for each in sent[begun:] if each.service != "opensearch"]
        result: dict[str, Any] = answered["result"]
        return result

    does(claim_document, document=version, execution="one")
    claimed = replace(version, attempt=1)
    does(read_document, document=claimed)
    passages = does(split_document, document=claimed)["passages"]
    does(embed_passages, document=claimed)
    indexes = does(index_passages, document=claimed)["indexes"]
    does(publish_document, document=claimed, passages=passages, indexes=indexes)
    does(remove_passages, document=claimed)
    does(close_document, document=claimed)
    does(erase_passages, document=claimed)

    assert too_much(template, by_step, two) == {}
    assert refused(two.asking, sent) == set()


def test_the_relay_keeps_to_its_role_which_the_laptop_does_not_enforce(
    sent: list[Sent], recorded: Two, tmp_path_factory: pytest.TempPathFactory
) -> None:
    two = recorded
    run = "run_" + "e" * 26
    two.furnish(two.asking, run_id=run, words="peaches are sour", copies=1)
    sent.clear()

    assert two.relay.get(f"/v1/runs/{run}/events?after=0&wait=1").status_code == 200

    assert too_much(synthesized("sandbox", tmp_path_factory), {"Relay": sent}, two) == {}


def test_a_right_that_a_role_lacks_is_noticed(sent: list[Sent], recorded: Two, template: Assembly) -> None:
    two = recorded
    two.services.runs.get(two.asking, "run_" + "b" * 26)

    assert too_much(template, {"SplitDocument": sent}, two) == {"SplitDocument": {("dynamodb:GetItem", "Runs")}}


@pytest.mark.parametrize("place", sorted(set(MUTANTS) - {"plinth.api.erasures.require_own"}))
def test_a_key_without_its_tenant_is_refused(
    sent: list[Sent], recorded: Two, monkeypatch: pytest.MonkeyPatch, search_requests: set[str], place: str
) -> None:
    if place.endswith("is_own"):
        pytest.skip("what is dropped after a scan is no key: the matrix looks at it")
    two = recorded
    two.end_erasures(two.asking)
    monkeypatch.setattr(place, MUTANTS[place])

    with suppress(PlinthError):  # some can't even write
        two.furnish(two.asking, run_id="run_" + "c" * 26, words="peaches are sour", copies=1)
        _asked(two)

    search_requests.clear()  # a mutant's are compared on no backend
    assert refused(two.asking, sent)
