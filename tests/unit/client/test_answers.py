"""What events add up to, and what a terminal is shown of them."""

from client.answers import collect
from client.display import plain, receipt_lines
from client.sse import Message, messages
from plinth.contracts.events import CitationFound, Event, LoggedEvent, Reset, RunEnded, TextDelta
from plinth.contracts.runs import Citation, ModelCost, Receipt, RunStatus


def log(*events: Event) -> list[LoggedEvent]:
    return [LoggedEvent(seq=seq, epoch=1, at=0.0, event=event) for seq, event in enumerate(events, start=1)]


def test_text_before_a_reset_does_not_count() -> None:
    answer = collect(
        log(
            TextDelta(text="wrong", attempt=1, offset=0),
            Reset(attempt=2, reason="model_stream_cut"),
            TextDelta(text="ri", attempt=2, offset=0),
            TextDelta(text="late", attempt=1, offset=5),
            TextDelta(text="ght", attempt=2, offset=2),
            RunEnded(status=RunStatus.DONE, text_length=5),
        )
    )

    assert answer.text == "right"
    assert answer.ended == RunEnded(status=RunStatus.DONE, text_length=5)


def test_text_at_an_offset_that_was_shown_already_is_not_doubled() -> None:
    answer = collect(log(TextDelta(text="abc", attempt=1, offset=0), TextDelta(text="bcd", attempt=1, offset=1)))

    assert answer.text == "abcd"


def test_citations_are_kept_in_the_order_of_the_log() -> None:
    first, second = (Citation(marker=n, document_id="d", name="n", title="t", text="x") for n in (2, 1))

    assert collect(log(CitationFound(citation=first), CitationFound(citation=second))).citations == (first, second)


def test_a_message_is_whole_only_with_its_blank_line() -> None:
    lines = ["id: 1", "data: a", "data: b", "", ": heartbeat", "", "id: 2", "data: cut"]

    assert list(messages(lines)) == [Message(id="1", data="a\nb")]


def test_text_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[2Jb\r\x9bc\n\td") == "a[2Jbc\n\td"


def test_a_receipt_names_model_tokens_price_and_its_source() -> None:
    call = ModelCost(
        model="m",
        input_tokens=10,
        output_tokens=5,
        cached_input_tokens=3,
        cost_micro_usd=1234,
        bound_micro_usd=2000,
        price_source="list",
        price_as_of="2026-11-01",
    )

    assert receipt_lines(Receipt(model_calls=(call,), model_cost_micro_usd=1234)) == [
        "m: 13 tokens in, 5 out, $0.001234 (price as of 2026-11-01: list)",
        "models: $0.001234",
    ]


def test_a_cached_answer_says_what_it_saved() -> None:
    assert receipt_lines(Receipt(model_calls=(), model_cost_micro_usd=0, cached=True, saved_micro_usd=500)) == [
        "answered from the cache: no model was called, $0.000500 saved"
    ]
