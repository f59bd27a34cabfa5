"""Whose markers are looked at while the text streams: those of a model that gives any number."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.build_prompt.handler import build_prompt
from functions.call_model.handler import call_model
from functions.claim_run.handler import claim_run
from functions.parse_reply.handler import parse_reply
from plinth.contracts.events import TextDelta
from plinth.contracts.runs import Answer, Run
from tests.fakes.models import FakeModel, whole
from tests.unit.chain.test_markers import PASSAGES
from tests.unit.steps.conftest import TENANT, ChainServices


@pytest.mark.parametrize(("model", "cited"), [("plinth-local", 3), ("claude-haiku-5-5", 1)])
def test_a_marker_is_moved_for_a_model_whose_citations_are_checked(
    services: ChainServices, call: Callable[..., dict[str, Any]], accept: Callable[..., Run], model: str, cited: int
) -> None:
    run = accept("what does synaptic use", model=model)
    call(claim_run, run=run, owner="execution-1")
    services.runs.put_content(run, "passages", PASSAGES)
    services.runs.put_content(run, "turns", ())
    services.model = FakeModel((["It uses pkexec for root ", "privileges [", "1]."], whole()))

    call(build_prompt, run=run)
    call(call_model, run=run, attempt=1, steps=[])
    call(parse_reply, run=run)

    logged = [each.event for each in services.run_log.read(TENANT, run.id, after=0)]
    answer = services.runs.get_content(run, "answer", Answer)
    assert "".join(each.text for each in logged if isinstance(each, TextDelta)) == answer.text
    assert answer.text == f"It uses pkexec for root privileges [{cited}]."
    assert [(each.marker, each.text) for each in answer.citations] == [(cited, PASSAGES[cited - 1].text)]
