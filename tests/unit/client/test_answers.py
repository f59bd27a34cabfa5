"""What events add up to, and what a terminal is shown of them."""

from dataclasses import replace

from client.answers import collect
from client.display import plain, receipt_lines
from client.sse import Message, messages
from plinth.contracts.events import CitationFound, Event, LoggedEvent, Reset, RunEnded, TextDelta
from plinth.contracts.runs import CacheMatch, Citation, Receipt, RunStatus
from plinth.money.prices import price_of
from tests.fakes.costs import model_cost

CALL = model_cost(
    "m", output_tokens=5, cached_input_tokens=3, cost_micro_usd=1234, bound_micro_usd=2000, price_source="list"
)


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
    assert receipt_lines(Receipt(model_calls=(CALL,), model_cost_micro_usd=1234)) == [
        "m: 13 tokens in (3 cached), 5 out, $0.001234 (price: list, 2026-11-01)",
        "models: $0.001234",
    ]
    check = replace(CALL, step="CheckAnswerable")
    assert receipt_lines(Receipt(model_calls=(check,), model_cost_micro_usd=1234))[0].startswith(
        "m for CheckAnswerable: "
    )


def test_a_receipt_of_a_model_of_ones_own_says_that_no_token_is_charged() -> None:
    own = replace(CALL, cost_micro_usd=0, cached_input_tokens=0, price_source=price_of("plinth-local").source)

    assert receipt_lines(Receipt(model_calls=(own,), model_cost_micro_usd=0))[0] == (
        "m: 10 tokens in, 5 out, $0.000000 (price: none per token, it runs on your own machine, 2026-11-01)"
    )


def test_a_receipt_names_failed_calls_with_the_most_that_they_can_have_cost() -> None:
    failed = replace(CALL, outcome="model_stream_cut", estimated=True, cached_input_tokens=0, cost_micro_usd=2000)

    assert receipt_lines(Receipt(model_calls=(failed, CALL), model_cost_micro_usd=3234)) == [
        "m failed (model_stream_cut): 10 tokens in, 5 out, at most $0.002000 (price: list, 2026-11-01)",
        "m: 13 tokens in (3 cached), 5 out, $0.001234 (price: list, 2026-11-01)",
        "models: $0.003234",
    ]


def test_a_receipt_shows_what_the_prompt_cache_saved_and_counts_what_was_written_to_it() -> None:
    call = replace(CALL, cache_write_tokens=7)
    lines = receipt_lines(Receipt(model_calls=(call,), model_cost_micro_usd=1234, prompt_cache_saved_micro_usd=90))

    assert lines[0].startswith("m: 20 tokens in (3 cached)")
    assert lines[1] == "the provider's prompt cache: $0.000090 saved"


def test_a_cached_answer_says_what_it_saved() -> None:
    receipt = Receipt(model_calls=(), model_cost_micro_usd=0, cached=True, saved_micro_usd=500, age_seconds=90.4)

    assert receipt_lines(receipt) == ["answered from the cache: 90 s old, no model was called, $0.000500 saved"]
    assert receipt_lines(replace(receipt, match=CacheMatch.SEMANTIC)) == [
        "answered from the cache: to the same question worded otherwise, 90 s old, no model was called, $0.000500 saved"
    ]
    *_, cache, models = receipt_lines(replace(receipt, model_calls=(CALL,), model_cost_micro_usd=1234))
    assert cache == "answered from the cache: 90 s old, $0.000500 saved"
    assert models == "models: $0.001234"
