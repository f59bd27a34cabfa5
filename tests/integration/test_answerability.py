"""Whether the documents hold an answer: the deployed machine asks a scripted provider before the answer itself."""

import pytest

from plinth.contracts.events import CitationFound, RunEnded, StepEnded
from plinth.contracts.runs import NOT_IN_DOCUMENTS
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.conftest import Deployed
from tests.integration.test_model_failures import Ask, Told
from tests.integration.uploads import ingest

pytestmark = pytest.mark.integration
CHECKED = "claude-sonnet-5-5"
HOURS = b"# Opening hours\n\nWhen does it open? The warehouse opens at nine in the morning.\n"


@pytest.fixture
def ask(deployed: Deployed, provider: ProviderServer) -> Ask:
    ingest(deployed, "guide/hours.md", HOURS)
    return Ask(deployed, provider)


def steps(told: Told) -> list[str]:
    return [each.event.step for each in told.logged if isinstance(each.event, StepEnded)]


def test_a_no_ends_the_run_as_not_in_the_documents_at_the_price_of_one_call(ask: Ask) -> None:
    told = ask("unanswerable", model=CHECKED)

    ended = told.logged[-1].event
    assert told.answer is not None
    assert (told.answer.stop_reason, told.answer.citations) == (NOT_IN_DOCUMENTS, ())
    assert told.seen.text == told.answer.text == "The documents do not say."
    assert isinstance(ended, RunEnded)
    assert (ended.status, ended.reason) == ("done", NOT_IN_DOCUMENTS)
    assert (told.calls, told.charged()) == (1, ["bill"])
    assert "CheckAnswerable" in steps(told)
    assert "CallModel" not in steps(told)


def test_a_yes_and_a_check_that_fails_both_lead_to_the_answer(ask: Ask) -> None:
    for plan, charged in (("answerable+ok", ["bill", "bill"]), ("500+ok", ["free", "bill"])):
        told = ask(plan, model=CHECKED)

        assert told.seen.text == "".join(OK_TEXT)
        assert (told.calls, told.charged()) == (2, charged)
        assert any(isinstance(each.event, CitationFound) for each in told.logged)
        assert steps(told).index("CheckAnswerable") < steps(told).index("CallModel")
