"""Whether the documents hold an answer: asked before the answer, paid like any call, and never in the way of one."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.check_answerable.handler import check_answerable
from functions.retrieve_context.handler import retrieve_context
from functions.save_answer.handler import save_answer
from plinth.adapters.dynamo_breakers import FAILURES
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.chain.catalogue import read_catalogue
from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.events import CitationFound, RunEnded, TextDelta
from plinth.contracts.models import Prompt
from plinth.contracts.runs import NOT_IN_DOCUMENTS, Answer, Run, RunStatus
from plinth.errors import ContentMissingError, ModelBusyError, ModelStreamCutError
from plinth.money.budgets import budgets_of
from tests.fakes.ledger_rows import FakeLedgerRows
from tests.fakes.models import FakeModel, whole
from tests.unit.steps.conftest import TENANT, ChainServices
from tests.unit.steps.test_answering import remember_document

Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
QUESTION = "how do I remove configuration files with zypper"
YES, NO = '{"answerable": "yes"}', '{"answerable": "no"}'


@pytest.fixture
def doubted(services: ChainServices, call: Call, accept: Accept) -> Callable[..., Run]:
    """Accept a question to the local model, which is asked for a verdict first, and retrieve its passages."""

    def retrieve(question: str = QUESTION, **asked_for: Any) -> Run:
        remember_document(services, "apt purge removes the configuration files too")
        run = accept(question, **{"model": "plinth-local", **asked_for})
        context = call(retrieve_context, run=run)
        assert context["doubtful"]
        return run

    return retrieve


def test_a_no_is_an_answer_of_its_own_that_cites_nothing(
    services: ChainServices, call: Call, doubted: Callable[..., Run]
) -> None:
    run = doubted()
    services.model = FakeModel(([NO], whole()))

    verdict = call(check_answerable, run=run)
    call(save_answer, run=run, cached=False, declined=True, cache_key=None, calls=verdict["calls"], steps=[])

    record = services.runs.get(TENANT, run.id)
    assert (verdict["answerable"], len(verdict["calls"]), record.status) == (False, 1, RunStatus.DONE)
    assert record.answer == Answer(
        text="The documents do not say.", citations=(), stop_reason=NOT_IN_DOCUMENTS, model="plinth-local"
    )
    events = [each.event for each in services.run_log.read(TENANT, run.id, after=0)]
    assert [each.text for each in events if isinstance(each, TextDelta)] == ["The documents do not say."]
    assert not [each for each in events if isinstance(each, CitationFound)]
    assert isinstance(events[-1], RunEnded)
    assert (events[-1].reason, events[-1].text_length) == (NOT_IN_DOCUMENTS, 25)
    assert record.receipt
    assert [each.model for each in record.receipt.model_calls] == ["plinth-local"]


def test_a_yes_goes_on_to_a_prompt_that_begins_as_the_check_did(
    services: ChainServices, call: Call, doubted: Callable[..., Run]
) -> None:
    run = doubted()
    services.model = FakeModel(([YES], whole()))

    assert call(check_answerable, run=run)["answerable"]

    call(build_prompt, run=run)
    asked = services.model.requests[0]
    assert asked.prompt.system == services.runs.get_content(run, "prompt", Prompt).system
    assert (asked.max_output_tokens, asked.prompt.answer_schema is not None) == (24, True)
    assert "No passage contains: zypper." in asked.prompt.messages[0].text


def test_a_question_whose_every_word_stands_in_the_passages_is_not_doubted(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    remember_document(services, "apt purge removes the configuration files too")

    assert not call(retrieve_context, run=accept("what removes configuration files", model="plinth-local"))["doubtful"]


@pytest.mark.parametrize(
    "turn",
    [
        ([], ModelBusyError("busy")),
        ([NO], None),
        (["no"], whole()),
        (['{"answerable": "maybe"}'], whole()),
        ([], ModelStreamCutError("cut")),
    ],
    ids=["busy", "cut after a no", "no verdict", "another verdict", "cut"],
)
def test_a_check_that_fails_is_on_the_receipt_and_lets_the_run_go_on(
    services: ChainServices, call: Call, doubted: Callable[..., Run], turn: Any
) -> None:
    run = doubted()
    services.model = FakeModel(turn)

    verdict = call(check_answerable, run=run)

    assert verdict["answerable"]
    assert verdict["calls"][0]["outcome"] != "complete"


def test_nothing_found_is_told_without_any_model(services: ChainServices, call: Call, accept: Accept) -> None:
    remember_document(services, "apt purge removes the configuration files too")
    run = accept("zymurgy?", model="plinth-local", metadata=(("year=1900",),))
    services.model = FakeModel()

    assert call(retrieve_context, run=run) == {"passages": 0, "corpus_version": 1, "doubtful": True}
    assert call(check_answerable, run=run) == {"answerable": False, "calls": ()}
    assert services.runs.get_content(run, "answer", Answer).stop_reason == NOT_IN_DOCUMENTS


def test_a_name_that_nothing_found_mentions_is_told_without_any_model(
    services: ChainServices, call: Call, doubted: Callable[..., Run]
) -> None:
    run = doubted("how does apt purge configuration files of Homebrew and Flathub")
    services.model = FakeModel()

    assert call(check_answerable, run=run) == {"answerable": False, "calls": ()}
    answer = services.runs.get_content(run, "answer", Answer)
    assert (answer.text, answer.stop_reason) == (
        "The documents do not say. They do not mention Homebrew, Flathub.",
        NOT_IN_DOCUMENTS,
    )


@pytest.mark.parametrize("asked_for", [{"tools": ("search_memory",)}, {"model": "claude-haiku-5-5"}])
def test_a_run_with_tools_or_of_a_model_that_declines_by_itself_is_not_doubted(
    services: ChainServices, call: Call, accept: Accept, asked_for: dict[str, Any]
) -> None:
    remember_document(services, "apt purge removes the configuration files too")
    run = accept(QUESTION, **{"model": "plinth-local", **asked_for})

    assert not call(retrieve_context, run=run)["doubtful"]


def test_a_tenant_that_never_had_a_document_is_not_told_that_its_documents_do_not_say(
    call: Call, accept: Accept
) -> None:
    assert not call(retrieve_context, run=accept(QUESTION, model="plinth-local"))["doubtful"]


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a model with a price be asked for verdicts."""
    packaged = (files("plinth.chain") / "catalogue.json").read_bytes()
    named = b'"id": "claude-haiku-5-5",'
    assert named in packaged
    changed = read_catalogue(packaged.replace(named, named + b' "checks_answerable": true,'))
    monkeypatch.setattr("plinth.chain.catalogue.catalogue", lambda: changed)


@pytest.mark.guarantee_b
@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize(("limit", "asked"), [(1_000_000, 1), (1, 0)])
def test_a_check_is_paid_within_the_budget_and_left_out_where_that_is_spent(
    services: ChainServices, call: Call, doubted: Callable[..., Run], limit: int, asked: int
) -> None:
    services.ledger = LedgerOverRows(FakeLedgerRows(), clock=services.clock)
    budgets = Allowances(tenant=Allowance(day_micro_usd=limit), revision=1)
    run = doubted(model="claude-haiku-5-5", budgets=budgets)
    services.model = FakeModel(([YES], whole()))

    verdict = call(check_answerable, run=run)

    (left,) = services.ledger.left(budgets_of(TENANT, services.runs.get(TENANT, run.id).request))
    assert (verdict["answerable"], len(verdict["calls"]), len(services.model.requests)) == (True, asked, asked)
    assert left.day.spent_micro_usd == sum(each["cost_micro_usd"] for each in verdict["calls"])
    assert (left.day.spent_micro_usd > 0, left.day.held_micro_usd) == (bool(asked), 0)


def test_an_open_breaker_is_passed_over_and_the_run_goes_on_unchecked(
    services: ChainServices, call: Call, doubted: Callable[..., Run]
) -> None:
    run = doubted()
    services.model = FakeModel(([NO], whole()))
    for _ in range(FAILURES):
        services.breakers.failed("plinth-local")

    assert call(check_answerable, run=run)["answerable"]

    assert services.model.requests == []


def test_a_run_that_was_retrieved_before_an_update_is_answered(
    services: ChainServices, call: Call, doubted: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, kept = doubted(), services.runs.get_content

    def of_before(run: Run, name: str, kind: Any) -> Any:
        if name == "missing":
            raise ContentMissingError(name)
        return kept(run, name, kind)

    monkeypatch.setattr(services.runs, "get_content", of_before)

    assert call(check_answerable, run=run)["answerable"]
