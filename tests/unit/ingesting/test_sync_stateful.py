"""A source in any course of changes, passes, faults and meetings: at rest the documents equal it, each exactly once."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from plinth.adapters.dynamo_imports import RUN_SECONDS
from plinth.contracts.syncs import ListedObject
from plinth.contracts.tenant import Tenant
from tests.fakes.syncs import FakeSyncedObjects
from tests.unit.ingesting.sync_world import BUCKET, SyncWorld

pytestmark = pytest.mark.guarantee_d
SETTINGS = settings(
    max_examples=200,
    stateful_step_count=50,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)
keys, bodies = st.sampled_from(["docs/a.md", "docs/b.md", "docs/c.md"]), st.sampled_from([b"one", b"two", b"three"])
which, soon = st.integers(min_value=0, max_value=1000), st.integers(min_value=1, max_value=12)


class SyncRules(RuleBasedStateMachine):
    """Objects come, change and go; passes find them; the machine places; events arrive when they like."""

    objects: type[FakeSyncedObjects] = FakeSyncedObjects

    def __init__(self) -> None:
        super().__init__()
        self.world = SyncWorld(self.objects)

    @rule(key=keys, body=bodies)
    def an_object_is_put(self, key: str, body: bytes) -> None:
        self.world.objects.put(BUCKET, key, body)

    @rule(key=keys)
    def an_object_is_deleted(self, key: str) -> None:
        self.world.objects.buckets[BUCKET].pop(key, None)

    @rule(body=bodies)
    def somebody_else_uploads_a_document(self, body: bytes) -> None:
        self.world.upload(f"{BUCKET}/docs/c.md", body)

    @rule(allow=st.booleans())
    def a_pass_is_made(self, *, allow: bool) -> None:
        self.world.make_pass(allow_deletes=allow)

    @precondition(lambda self: self.world.at_work)
    @rule(numbers=st.lists(which, min_size=1, max_size=3), twice=st.booleans())
    def files_are_placed(self, numbers: list[int], *, twice: bool) -> None:
        for number in numbers:
            if self.world.at_work:
                self.world.place(number, twice=twice)

    @precondition(lambda self: self.world.events)
    @rule(number=which)
    def an_event_arrives(self, number: int) -> None:
        self.world.arrive(number)

    @rule(after=soon, done=st.booleans())
    def an_effect_fails(self, after: int, *, done: bool) -> None:
        self.world.fault = (self.world.effects + after, done)

    @rule(after=soon, key=keys, body=bodies)
    def an_object_is_put_in_the_middle(self, after: int, key: str, body: bytes) -> None:
        self.world.meeting = (self.world.effects + after, lambda: self.world.objects.put(BUCKET, key, body))

    @rule(after=soon, key=keys)
    def an_object_is_deleted_in_the_middle(self, after: int, key: str) -> None:
        self.world.meeting = (self.world.effects + after, lambda: self.world.objects.buckets[BUCKET].pop(key, None))

    @rule(after=soon)
    def another_pass_is_made_in_the_middle(self, after: int) -> None:
        self.world.meeting = (self.world.effects + after, self.world.make_pass)

    @rule()
    def the_machine_is_lost_and_its_time_passes(self) -> None:
        self.world.at_work.clear()
        self.world.clock.advance(RUN_SECONDS + 1)

    def teardown(self) -> None:
        self.world.rest()


def test_documents_equal_their_source_at_rest_whatever_happens_to_it() -> None:
    run_state_machine_as_test(SyncRules, settings=SETTINGS)


@pytest.mark.long
def test_documents_equal_their_source_at_rest_whatever_happens_to_it_for_long() -> None:
    run_state_machine_as_test(SyncRules, settings=settings(SETTINGS, max_examples=2_000))


class KnowsNoOwner(FakeSyncedObjects):
    """Replaces what somebody else uploaded."""

    def owner(self, tenant: Tenant, name: str) -> str | None:
        return None


class TakesNothing(FakeSyncedObjects):
    """Forgets documents without deleting them."""

    def withdraw(self, tenant: Tenant, name: str, sync_id: str) -> bool:
        return True


class ListsAHalf(FakeSyncedObjects):
    """Takes a listing that broke off for whole."""

    def listed(self, bucket: str, prefix: str) -> Iterator[ListedObject]:
        yield from list(super().listed(bucket, prefix))[:-1]


@pytest.mark.parametrize("wrong", [KnowsNoOwner, TakesNothing, ListsAHalf])
def test_a_wrong_store_is_found_out(wrong: type[FakeSyncedObjects]) -> None:
    class Wrong(SyncRules):
        objects = wrong

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Wrong, settings=settings(SETTINGS, max_examples=5_000, derandomize=True))


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("effect", range(1, 8))
def test_a_file_whose_placing_failed_anywhere_goes_with_its_object_or_is_placed_by_the_next_pass(
    effect: int, *, done: bool
) -> None:
    for is_deleted in (False, True):
        world = SyncWorld()
        world.objects.put(BUCKET, "docs/a.md", b"one")
        world.make_pass()
        world.fault = (world.effects + effect, done)
        world.place(0)
        if is_deleted:
            del world.objects.buckets[BUCKET]["docs/a.md"]
        world.rest()


def test_a_copy_of_a_deleted_document_whose_event_was_lost_goes_with_its_object() -> None:
    world = SyncWorld()

    def bring_and_delete() -> None:
        world.objects.put(BUCKET, "docs/a.md", b"one")
        world.make_pass()
        world.place(0)
        del world.objects.buckets[BUCKET]["docs/a.md"]

    bring_and_delete()
    world.arrive(0)
    world.make_pass(allow_deletes=True)
    world.arrive(1)
    bring_and_delete()

    world.rest()
