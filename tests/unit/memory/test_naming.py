"""Ids, keys and sequences of documents."""

from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id, sequence


def test_the_same_name_is_another_document_for_another_tenant() -> None:
    assert document_id(Tenant(id="a"), "x") != document_id(Tenant(id="b"), "x")


def test_sequences_of_different_length_compare_as_numbers() -> None:
    assert sequence("ff") < sequence("0100") < sequence("1ff")
