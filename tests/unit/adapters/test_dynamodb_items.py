"""Values as DynamoDB attributes."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.adapters.dynamodb_items import Value, from_attributes, packed, row, to_attributes, unpacked
from plinth.contracts.runs import Turn
from plinth.errors import RecordUnreadableError

VALUES = st.recursive(
    st.text() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-1e100, 1e100) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_an_item_is_read_as_it_was_written(item: dict[str, Value]) -> None:
    assert from_attributes(to_attributes(item)) == item


def test_none_is_absence() -> None:
    assert to_attributes({"a": None, "b": True, "c": 1}) == {"b": {"BOOL": True}, "c": {"N": "1"}}


def test_a_record_is_unpacked_as_it_was_packed_and_long_text_takes_less_room() -> None:
    turns = [Turn(question="Why? " * 1000, answer="ä", at=1.5)]

    assert unpacked(packed(turns), list[Turn]) == turns
    assert len(packed(turns)) < 200


@pytest.mark.parametrize("body", [b"not packed", packed({"question": 1}), packed(b"")[:-5], zlib.compress(b'"\xff"')])
def test_a_body_that_is_no_such_record_is_unreadable(body: bytes) -> None:
    with pytest.raises(RecordUnreadableError):
        unpacked(body, Turn)


def test_a_row_that_is_no_such_record_is_unreadable() -> None:
    with pytest.raises(RecordUnreadableError):
        row({"question": "Why?", "answer": 7}, Turn)
