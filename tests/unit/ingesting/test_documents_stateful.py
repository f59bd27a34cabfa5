"""One document in any course of events: uploads, deletions, events twice and out of order, faults, stops, redrives.

The exhaustive checks play two or three events with one fault in every order; here are many, with many faults.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from plinth.contracts.memory import CurrentObject
from plinth.errors import NotFoundError, StoreUnavailableError
from plinth.memory.document_row import STUCK_SECONDS
from plinth.memory.syncing import repairs
from tests.unit.ingesting.document_checks import Actor, MakeWorld, Redrive
from tests.unit.ingesting.document_mutants import MUTANTS, Mutant, WrongMachines, WrongMemory
from tests.unit.ingesting.document_world import DOCUMENT, FAULTS, TENANT, Execution, Fault, World, finish, version

pytestmark = pytest.mark.guarantee_d
SETTINGS = settings(
    max_examples=150,
    stateful_step_count=60,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],  # to shrink a course takes minutes: remove this to understand a failure
)
MOST_CHANGES, SETTLE_SECONDS = 6, 900.0
SUBTLE = {
    "every try has one number",
    "a live version is refused",
    "what was erased is refused",
    "a claim for an erased tenant",
    "a refusal for an erased tenant",
    "a refused try is published",
    "a deletion takes any live version",
    "a deletion leaves the live version",
    "hidden for ever",
    "publishing uncounted",
    "a clean-up of what is live",
    "older versions stay after a failure",
    "the clean-up before the refusal",
    "the tombstone last",
    "no wait for what was written",
    "what a failed index wrote stays",
    "what a failed publication left stays",
    "older means other",
    "a clean-up of older versions",
}
"""Mutants that only the exhaustive checks are sure to meet, or that the sync makes good."""
which = st.integers(min_value=0, max_value=1000)


class DocumentRules(RuleBasedStateMachine):
    """The bucket numbers its changes; each makes an event, which arrives when it likes, as often, or never."""

    make: MakeWorld = World

    def __init__(self) -> None:
        super().__init__()
        self.world = self.make()
        self.changes: list[str] = []
        self.modified_at = 0.0
        self.awaited: set[int] = set()
        self.actors: list[Actor] = []
        self.started: set[str] = set()

    def change(self, machine: str) -> int:
        self.changes.append(machine)
        self.modified_at = self.world.clock.now()
        self.awaited.add(len(self.changes))
        return len(self.changes)

    def start(self, number: int) -> None:
        self.awaited.discard(number)
        name = f"event {number} {len(self.actors)}"
        self.actors.append(Execution(self.world, self.changes[number - 1], version(number), name))

    @precondition(lambda self: len(self.changes) < MOST_CHANGES)
    @rule()
    def a_version_is_uploaded(self) -> None:
        self.change("ingest")

    @precondition(lambda self: len(self.changes) < MOST_CHANGES)
    @rule()
    def a_version_is_uploaded_that_can_not_be_read(self) -> None:
        self.world.unreadable |= {self.change("ingest")}

    @precondition(lambda self: len(self.changes) < MOST_CHANGES)
    @rule()
    def the_object_is_deleted(self) -> None:
        self.change("erase")

    @precondition(lambda self: len(self.changes) < MOST_CHANGES)
    @rule()
    def the_api_is_asked_to_delete_it(self) -> None:
        self.actors.append(ApiDeletion(self))

    @precondition(lambda self: self.changes)
    @rule(number=which)
    def an_event_arrives(self, number: int) -> None:
        """Start the machine for any change: the first, the last, one whose event came already."""
        self.start(1 + number % len(self.changes))

    @precondition(lambda self: self.awaited)
    @rule(number=which)
    def an_event_is_lost(self, number: int) -> None:
        self.awaited.discard(sorted(self.awaited)[number % len(self.awaited)])

    @precondition(lambda self: self.actors)
    @rule(number=which, turns=st.integers(min_value=1, max_value=8))
    def somebody_goes_on(self, number: int, turns: int) -> None:
        for _ in range(turns):
            self.actors[number % len(self.actors)].turn()

    @precondition(lambda self: self.world.late is None)
    @rule(fault=st.sampled_from(FAULTS))
    def the_next_effect_fails(self, fault: Fault) -> None:
        self.world.fault = (self.world.effects, fault)

    @precondition(lambda self: any(map(is_early, self.actors)))
    @rule(number=which)
    def an_execution_is_stopped_before_it_wrote_a_passage(self, number: int) -> None:
        early = [each for each in self.actors if is_early(each)]
        self.actors.remove(early[number % len(early)])

    @rule()
    def what_made_versions_unreadable_is_removed(self) -> None:
        self.world.unreadable = frozenset()

    @precondition(lambda self: self.world.uploads)
    @rule(seconds=st.sampled_from((0, STUCK_SECONDS + 1)))
    def somebody_redrives(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.actors.append(Redrive(self.world, f"redrive {len(self.actors)}"))

    @rule(seconds=st.sampled_from((0, SETTLE_SECONDS + 1, STUCK_SECONDS + 1)))
    def the_sync_runs(self, seconds: float) -> None:
        """Start what it finds lost, each repair once: its execution has its name."""
        self.world.clock.advance(seconds)
        now = self.world.clock.now()
        known = {each.newest.document_id: each for each in self.world.documents.known(TENANT)}
        for repair in list(repairs(TENANT, known, self.objects(), settled=now - SETTLE_SECONDS, now=now)):
            name = f"sync {repair.kind} {repair.document.sequence} {repair.document.attempt}"
            if name not in self.started:
                self.started.add(name)
                self.actors.append(Execution(self.world, repair.kind, repair.document, name))

    def objects(self) -> list[CurrentObject]:
        """Return what the bucket holds."""
        if not self.changes or self.changes[-1] == "erase":
            return []
        newest = f"v{len(self.changes)}"
        return [CurrentObject(name="a.txt", version_id=newest, size_bytes=1, modified_at=self.modified_at)]

    def teardown(self) -> None:
        """Let all that was begun end and what was lost be synced; then the newest change is there, and no more."""
        finish(self.actors)
        for number in sorted(self.awaited):
            self.start(number)
        for _ in range(4):
            finish(self.actors)
            self.world.arrive()
            self.the_sync_runs(STUCK_SECONDS + 1)
        finish(self.actors)
        if self.world.uploads | self.world.deletions:
            self.world.rest()
        row = self.world.documents._row(TENANT, DOCUMENT)
        there = self.objects()
        assert row.version_id == (there[0].version_id if there else None), row


class ApiDeletion:
    """The API hides the document, again until it is told so, and then deletes its object, which makes the event."""

    def __init__(self, rules: DocumentRules) -> None:
        self.rules, self.is_hidden, self.is_over = rules, False, False

    def turn(self) -> None:
        if self.is_over:
            return
        if self.is_hidden:
            self.rules.change("erase")
            self.is_over = True
            return
        try:
            self.rules.world.effect("documents", "hide", TENANT, DOCUMENT)
            self.is_hidden = True
        except StoreUnavailableError:
            return
        except NotFoundError:
            self.is_over = True


def is_early(actor: Actor) -> bool:
    """Tell whether it is an execution of the ingest machine that has written no passage yet."""
    early = ("ReadDocument", "SplitDocument", "EmbedPassages")
    return isinstance(actor, Execution) and not actor.is_over and actor.state in early


def rules_of(make: MakeWorld) -> type[DocumentRules]:
    """Return the rules over a world, which may be a wrong one."""

    class OverIt(DocumentRules):
        def __init__(self) -> None:
            self.make = make
            super().__init__()

    return OverIt


def test_a_document_is_searchable_exactly_once_whatever_happens_to_it() -> None:
    run_state_machine_as_test(DocumentRules, settings=SETTINGS)


@pytest.mark.long
def test_a_document_is_searchable_exactly_once_whatever_happens_to_it_for_long() -> None:
    run_state_machine_as_test(DocumentRules, settings=settings(SETTINGS, max_examples=2_000))


@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if mutant.what not in SUBTLE],
    ids=lambda mutant: mutant.what.replace(" ", "_"),
)
def test_a_wrong_protocol_is_found_out_in_a_random_course(mutant: Mutant | WrongMachines | WrongMemory) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(rules_of(mutant), settings=settings(SETTINGS, max_examples=5_000, derandomize=True))
