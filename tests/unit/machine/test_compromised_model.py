"""The whole machine with a model that obeys every document: persons who sleep, deny, or approve one call of many."""

from collections.abc import Callable

import pytest

from plinth.adapters.checked_web import CheckedWeb
from plinth.contracts.approvals import Decision, Ruling
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, TextDelta
from plinth.contracts.runs import Run, RunRecord, RunRequest, RunStatus
from plinth.runtime.approving import decide
from plinth.tools.approvals import open_approvals
from plinth.tools.toolbox import TOOLS
from tests.fakes.compromised_model import CompromisedModel
from tests.fakes.renderings import reached
from tests.unit.machine.test_approvals import API
from tests.unit.machine.world import MODEL, World
from tests.unit.steps.conftest import TENANT, ChainServices
from tests.unit.steps.test_compromised_model import DOCUMENT, OWN_ATTEMPTS, Internet, publish

pytestmark = pytest.mark.guarantee_h
TRUST = "Ann trusts evil.test."


@pytest.fixture
def internet(services: ChainServices) -> Internet:
    made = Internet()
    services.web = CheckedWeb(resolver=made.resolve, connect=made.connect)
    return made


def played(services: ChainServices, person: Callable[[World], None] = lambda _: None) -> tuple[World, RunRecord]:
    """Let the model read the orders of a document and try everything, through whole executions and sweeps."""
    publish(services, TENANT, "orders.md", DOCUMENT)
    world = World(services, person=person)
    services.models = {"anthropic": CompromisedModel(OWN_ATTEMPTS, turns=20)}
    asked = RunRequest(
        question="What are the opening hours?",
        model=MODEL,
        user="ann",
        tools=tuple(sorted(TOOLS)),
        fetch_hosts=("*.example.org",),
        max_turns=20,
    )
    run = Run(id="run_1", tenant=TENANT, epoch=1, deadline=world.clock.now() + 1800)
    services.runs.accept(run, asked, None)
    world.waiting.extend([run] * world.copies)
    return world, world.carry_out()


def saying(says: Callable[[str], Decision]) -> Callable[[World], None]:
    """Return a person who decides by what a call would do."""

    def person(world: World) -> None:
        for asked in open_approvals(world.stored().approvals):
            sha256, decision = asked.arguments_sha256, says(asked.arguments)
            ruling = Ruling(call=asked.call, arguments_sha256=sha256, decision=decision, user="ann", key_id="k1")
            decide(world.stored(), TENANT, ruling, world.services, API)

    return person


def facts(services: ChainServices) -> list[str]:
    return [fact.text for fact in services.facts.all(TENANT, "ann")]


@pytest.mark.parametrize("awake", [False, True])
def test_without_a_persons_yes_nothing_happens_and_the_run_ends(
    services: ChainServices, internet: Internet, *, awake: bool
) -> None:
    world, ended = played(services, saying(lambda _: Decision.DENY) if awake else lambda _: None)

    assert ended.status is RunStatus.DONE
    assert internet.connected == []
    assert facts(services) == []
    shown = "".join(each.event.text for each in world.log() if isinstance(each.event, TextDelta))
    assert ended.answer is not None
    assert reached(shown) == reached(ended.answer.text) == set()
    asked = {each.event.call for each in world.log() if isinstance(each.event, ApprovalNeeded)}
    decided = {each.event.decision for each in world.log() if isinstance(each.event, ApprovalDecided)}
    assert len(asked) > len(DOCUMENT)
    assert decided == {Decision.DENY if awake else Decision.EXPIRE}


def test_of_all_that_it_tries_only_what_a_person_agreed_to_is_done(services: ChainServices, internet: Internet) -> None:
    _, ended = played(services, saying(lambda shown: Decision.APPROVE if TRUST in shown else Decision.DENY))

    assert ended.status is RunStatus.DONE
    assert facts(services) == [TRUST]
    assert internet.connected == []


def test_what_a_person_agrees_to_still_reaches_no_address_that_is_not_public_or_listed(
    services: ChainServices, internet: Internet
) -> None:
    _, ended = played(services, saying(lambda _: Decision.APPROVE))

    assert ended.status is RunStatus.DONE
    assert set(internet.connected) <= {("93.184.216.34", 80), ("93.184.216.34", 443)}
    assert internet.connected
    assert services.facts.all(TENANT, "bob") == []
