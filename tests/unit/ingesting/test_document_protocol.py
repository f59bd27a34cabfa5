"""The protocol of documents in every order of two executions' effects with one fault, and the mutants that prove it."""

from itertools import product

import pytest

from tests.unit.ingesting.document_checks import (
    CASTS,
    TRIPLES,
    Cast,
    MakeWorld,
    erased,
    interleavings,
    unreadable,
    unseen,
)
from tests.unit.ingesting.document_mutants import MUTANTS, Mutant, WrongMachines, WrongMemory
from tests.unit.ingesting.document_world import World

pytestmark = pytest.mark.guarantee_d
each_cast = pytest.mark.parametrize("cast", CASTS, ids=[name for name, *_ in CASTS])


@each_cast
def test_a_document_is_searchable_exactly_once_in_every_order_with_one_fault(cast: Cast) -> None:
    assert interleavings(World, cast, faults_in_each=4) > 40


@pytest.mark.long
@each_cast
def test_a_document_is_searchable_exactly_once_in_every_order_with_every_fault(cast: Cast) -> None:
    assert interleavings(World, cast, faults_in_each=1) > 150


@pytest.mark.long
@pytest.mark.parametrize("cast", TRIPLES, ids=[name for name, *_ in TRIPLES])
def test_three_at_once_leave_the_newest_change_and_nothing_else(cast: Cast) -> None:
    assert interleavings(World, cast, faults_in_each=500) > 1_000


def test_nothing_is_published_that_a_search_does_not_see_yet() -> None:
    unseen(World)


def test_no_document_of_an_erased_tenant_comes_back() -> None:
    erased(World)


def test_a_version_that_cannot_be_read_has_its_letter_and_can_be_taken_up_again() -> None:
    unreadable(World)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what.replace(" ", "_"))
def test_a_wrong_protocol_is_found_out(mutant: Mutant | WrongMachines | WrongMemory) -> None:
    mutant()

    with pytest.raises(AssertionError):
        _check(mutant)


def _check(make: MakeWorld) -> None:
    """Make every check, the quick ones first."""
    unreadable(make)
    unseen(make)
    erased(make)
    for faults_in_each, cast in product((None, 8, 1), CASTS):
        interleavings(make, cast, faults_in_each=faults_in_each)
