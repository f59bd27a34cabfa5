"""Tools on the deployed stack: the machine's loop, and what a client sees of it."""

from uuid import uuid4

import pytest

from client.answers import collect
from client.api import Question
from plinth.contracts.events import StepEnded
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration


def test_a_model_uses_two_tools_at_once_and_answers_with_what_they_gave_back(
    deployed: Deployed, provider: ProviderServer
) -> None:
    token = uuid4().hex
    question = Question(
        question=f"How many? [[script:calculate+ok:{token}]]",
        model="claude-haiku-5-5",
        tools=["calculate", "search_memory"],
    )
    with deployed.api() as api:
        run = api.create_run(question)
        logged = list(api.events(run.id))
        ended = api.get_run(run.id)

    assert ended.answer is not None
    assert ended.answer.text == "".join(OK_TEXT)
    assert collect(logged).text == "".join(OK_TEXT)
    steps = [event.event.step for event in logged if isinstance(event.event, StepEnded)]
    assert steps.count("RunTool") == steps.count("CallModel") == steps.count("BuildPrompt") == 2
    assert {event.event.outcome for event in logged if isinstance(event.event, StepEnded)} == {"ok"}
    assert sum(call.token == token for call in provider.books.calls) == 2
    assert ended.receipt is not None
    assert [call.outcome for call in ended.receipt.model_calls] == ["complete", "complete"]


def test_a_tool_that_the_tier_does_not_have_is_refused_by_name(deployed: Deployed) -> None:
    with deployed.http("patient") as http:
        refused = http.post("/v1/runs", json={"question": "How many?", "tools": ["calculate"]})

    assert refused.status_code == 400
    assert refused.json()["field"] == "tools"
    assert "calculate" in refused.json()["detail"]
