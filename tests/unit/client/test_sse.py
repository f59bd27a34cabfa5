"""How the bytes of an event stream become lines and messages, however they are cut."""

import pytest

from client.sse import lines_of, messages

TEXT = '{"text": "one\u2028two\x85three\u2029four\x0bé"}'
STREAM = f"id: 1\r\ndata: {TEXT}\r\n\r\nid: 2\rdata: a\rdata: b\r\r: hi\n\nid: 3\ndata: 3\n\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_stream_reads_the_same_wherever_it_is_cut(size: int) -> None:
    body = STREAM.encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    found = [(each.id, each.data) for each in messages(lines_of(pieces))]

    assert found == [("1", TEXT), ("2", "a\nb"), ("3", "3")]


def test_a_line_is_told_before_the_next_one_comes() -> None:
    pieces = iter([b"data: 1\n\n", b"data: 2\n\n"])

    reading = messages(lines_of(pieces))

    assert next(reading).data == "1"
    assert next(pieces) == b"data: 2\n\n"


def test_what_was_cut_off_before_its_blank_line_is_no_message() -> None:
    assert list(messages(lines_of([b"data: 1\n", b"data: tw"]))) == []
    assert [each.data for each in messages(lines_of([b"data: 1\r\r"]))] == ["1"]
