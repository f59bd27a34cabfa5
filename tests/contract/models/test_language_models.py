"""What every language model promises, over the real SDKs against scripted providers on loopback, and the fake too."""

import time
from dataclasses import replace

import pytest

from plinth.contracts.models import (
    ModelEnd,
    StopReason,
    ToolCall,
    Usage,
    Working,
)
from plinth.errors import (
    ModelBusyError,
    ModelContextExceededError,
    ModelError,
    ModelKeyRefusedError,
    ModelReplyInvalidError,
    ModelRequestRefusedError,
    ModelStreamCutError,
    ModelUnavailableError,
    ModelWakingError,
)
from tests.contract.models.worlds import (
    EVERYONE,
    LIMITS,
    SERVED,
    World,
    Worlds,
    ask,
    end_of,
    failure_of,
    model_at,
    said,
)
from tests.fakes.providers import (
    BY_NAME,
    CALL,
    Fault,
    ProviderServer,
    Script,
    anthropic_messages,
    failing,
    openai_chat,
    sagemaker_runtime,
    status,
)
from tests.fakes.providers.scripts import USAGE, FaultKind


@pytest.fixture(params=EVERYONE)
def any_world(request: pytest.FixtureRequest, worlds: Worlds) -> World:
    return worlds.of(request.param)


def test_a_whole_stream_is_its_text_and_one_end(any_world: World) -> None:
    items = list(any_world.play(Script()).stream(ask()))

    assert said(items) == "The warehouse opens at nine [1]."
    assert end_of(items) == ModelEnd(stop_reason=StopReason.END, usage=USAGE)


def test_text_may_be_cut_into_pieces_at_any_byte(served: World) -> None:
    model = served.play(replace(BY_NAME["unicode"], piece_bytes=1))

    assert said(list(model.stream(ask()))) == "Grüße, 世界 🌍 café [1]."


def test_every_kind_of_token_is_counted_once(any_world: World) -> None:
    usage = Usage(
        input_tokens=20, output_tokens=90, cached_input_tokens=900, cache_write_tokens=100, thinking_tokens=60
    )

    end = end_of(list(any_world.play(Script(usage=usage, thinking=("Hm.",))).stream(ask())))

    assert end.usage == any_world.told(usage)


@pytest.mark.guarantee_f
def test_what_the_model_tells_is_what_its_provider_bills(served: World) -> None:
    served.provider.books.play(BY_NAME["cached"], Script(), BY_NAME["thinking"])

    told = [end_of(list(served.model.stream(ask()))).usage for _ in range(3)]

    assert told == [usage for _, usage in served.provider.books.bills()]


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    "kind", ["input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "thinking_tokens"]
)
def test_a_bill_of_less_than_nothing_is_no_bill(served: World, kind: str) -> None:
    if kind == "cache_write_tokens" and not served.name.startswith("anthropic"):
        pytest.skip("the chat protocol has no word for it")

    error = failure_of(served.play(Script(usage=replace(USAGE, **{kind: -1000}))), ask())

    assert type(error) is ModelReplyInvalidError
    assert error.usage is None


@pytest.mark.parametrize("stop", [StopReason.MAX_TOKENS, StopReason.REFUSAL, StopReason.CONTENT_FILTER])
def test_every_reason_to_stop_has_one_name_and_its_bill(any_world: World, stop: StopReason) -> None:
    if stop is StopReason.CONTENT_FILTER and any_world.name.startswith("anthropic"):
        pytest.skip("Anthropic has no word for it")

    items = list(any_world.play(Script(text=("I can't.",), stop=stop)).stream(ask()))

    assert said(items) == "I can't."
    assert end_of(items) == ModelEnd(stop_reason=stop, usage=USAGE)


@pytest.mark.guarantee_f
def test_an_unknown_reason_to_stop_is_never_a_whole_answer_but_tells_its_bill(any_world: World) -> None:
    error = failure_of(any_world.play(BY_NAME["unknown_stop"]), ask())

    assert type(error) is ModelStreamCutError
    assert error.usage == USAGE


@pytest.mark.guarantee_f
@pytest.mark.parametrize("arguments", ['{"topic": "hours"}', '{"topic": "ho', '{"topic": NaN}', '["hours"]'])
def test_tool_calls_come_whole_and_in_order_with_the_models_own_text(any_world: World, arguments: str) -> None:
    calls = (CALL, ToolCall(id="call_2", name="other", arguments=arguments))
    model = any_world.play(Script(text=("Let me look.",), tool_calls=calls, stop=StopReason.TOOL_USE))

    items = list(model.stream(ask()))

    assert Working() in items
    assert said(items) == "Let me look."
    assert end_of(items) == ModelEnd(stop_reason=StopReason.TOOL_USE, usage=USAGE, tool_calls=calls)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_a_call_of_a_tool_without_arguments_for_which_nothing_is_streamed_has_none(name: str, worlds: Worlds) -> None:
    model = worlds.of(name).play(Script(text=(), tool_calls=(replace(CALL, arguments=""),), stop=StopReason.TOOL_USE))

    assert end_of(list(model.stream(ask()))).tool_calls == (replace(CALL, arguments="{}"),)


@pytest.mark.guarantee_f
def test_an_empty_answer_ends_without_text_and_with_its_bill(any_world: World) -> None:
    items = list(any_world.play(BY_NAME["empty"]).stream(ask()))

    assert said(items) == ""
    assert end_of(items).usage == USAGE


FAR = "Fri, 99999999999999999999 Jan 2020 00:00:00 GMT"

FAILURES: dict[str, tuple[Script, type[ModelError]]] = {
    "429": (status(429), ModelBusyError),
    "529": (status(529), ModelBusyError),
    "503": (status(503), ModelBusyError),
    "500": (status(500), ModelUnavailableError),
    "502": (status(502), ModelUnavailableError),
    "504": (status(504), ModelUnavailableError),
    "400": (status(400), ModelRequestRefusedError),
    "404": (status(404), ModelRequestRefusedError),
    "400, too long": (BY_NAME["too_long"], ModelContextExceededError),
    "401": (status(401), ModelKeyRefusedError),
    "403": (status(403), ModelKeyRefusedError),
    "no answer": (failing("hang_up"), ModelStreamCutError),
    "cut": (failing("cut", at=300), ModelStreamCutError),
    "early end": (failing("end", at=300), ModelStreamCutError),
    "busy before content": (failing("error_event", code="busy"), ModelBusyError),
    "broken before content": (failing("error_event", code="broken"), ModelStreamCutError),
    "busy after content": (failing("error_event", code="busy", at=4), ModelStreamCutError),
    "malformed": (failing("garbled", at=3), ModelReplyInvalidError),
    "wrong content type": (failing("wrong_type"), ModelReplyInvalidError),
    "oversized": (failing("oversized", at=20_000), ModelReplyInvalidError),
    "one long line": (failing("long_line", at=2_000_000), ModelReplyInvalidError),
}


@pytest.mark.guarantee_f
@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_is_one_typed_error_after_one_attempt(any_world: World, failure: str) -> None:
    script, expected = FAILURES[failure]

    error = failure_of(any_world.play(script), ask())

    assert type(error) is expected
    assert error.begun or not script.bills
    assert "hidden" not in str(error)
    assert len(any_world.provider.books.calls) == (1 if any_world.served else 0)


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("0", 0.0), ("soon", None), ("-3", None), ("nan", None), (FAR, None)],
)
@pytest.mark.parametrize("name", ["anthropic", "anthropic_aws", "openai", "sagemaker_openai"])
def test_the_providers_wish_when_to_come_back_is_kept(
    name: str, header: str, seconds: float | None, worlds: Worlds
) -> None:
    made = worlds.of(name)
    error = failure_of(made.play(status(429, retry_after=header)), ask())

    assert isinstance(error, ModelBusyError)
    assert error.retry_after_seconds == seconds


@pytest.mark.guarantee_f
def test_a_date_to_come_back_at_is_the_time_until_then(worlds: Worlds) -> None:
    at = time.time() + 60
    header = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(at))

    made = worlds.of("openai")
    error = failure_of(made.play(status(429, retry_after=header)), ask())

    assert isinstance(error, ModelBusyError)
    assert error.retry_after_seconds == pytest.approx(at - time.time(), abs=2)


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", ["sagemaker", "sagemaker_openai"])
def test_an_endpoint_that_is_scaled_to_zero_is_waking(name: str, worlds: Worlds) -> None:
    made = worlds.of(name)
    error = failure_of(made.play(BY_NAME["waking"]), ask())

    assert type(error) is ModelWakingError


@pytest.mark.guarantee_f
@pytest.mark.parametrize(
    ("name", "number", "code"), [("openai", 429, "no_credit"), ("anthropic", 400, "credit_used_up")]
)
def test_an_account_without_credit_is_the_keys_fault_and_not_the_requests(
    name: str, number: int, code: str, worlds: Worlds
) -> None:
    error = failure_of(worlds.of(name).play(status(number, code=code)), ask())

    assert type(error) is ModelKeyRefusedError
    assert "credit" in str(error)


@pytest.mark.guarantee_f
def test_a_prompt_that_leaves_no_room_for_the_answer_is_too_long(worlds: Worlds) -> None:
    error = failure_of(worlds.of("anthropic").play(status(400, code="too_long_with_answer")), ask())

    assert type(error) is ModelContextExceededError


@pytest.mark.guarantee_f
@pytest.mark.parametrize("seconds", [0.0, -3.0])
def test_a_call_without_any_time_is_not_made(served: World, seconds: float) -> None:
    error = failure_of(served.play(Script()), ask(limits=replace(LIMITS, total_seconds=seconds)))

    assert type(error) is ModelUnavailableError
    assert served.provider.books.calls == []


CUT_SCRIPTS = {
    "text": Script(text=("Hé",)),
    "tool": Script(text=(), tool_calls=(replace(CALL, arguments='{"a": 1}'),), stop=StopReason.TOOL_USE),
}


@pytest.mark.guarantee_f
@pytest.mark.parametrize("what", CUT_SCRIPTS)
@pytest.mark.parametrize("name", ["anthropic", "openai", "sagemaker"])
def test_a_stream_that_ends_after_any_byte_is_never_a_whole_answer(name: str, what: str, worlds: Worlds) -> None:
    """Every other byte is the last of a proper end, the others of a cut; text and tool call take turns in which."""
    script, turn = CUT_SCRIPTS[what], list(CUT_SCRIPTS).index(what)
    made = worlds.of(name)
    assert end_of(list(made.play(script).stream(ask()))).tool_calls == script.tool_calls
    for at in range(_marker(name, script)):
        kind: FaultKind = "cut" if (at + turn) % 2 else "end"
        error = failure_of(made.play(replace(script, fault=Fault(kind=kind, at=at))), ask())
        assert type(error) is ModelStreamCutError, at
        assert (error.usage is not None) == (name == "anthropic" and at >= _bill(script)), at


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", SERVED)
def test_an_address_where_nobody_listens_was_never_asked(name: str) -> None:
    with model_at("http://127.0.0.1:9", name=name) as model:
        error = failure_of(model, ask())

    assert type(error) is ModelUnavailableError
    assert not error.begun


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", SERVED)
def test_an_address_that_speaks_no_tls_was_never_asked(name: str, provider: ProviderServer) -> None:
    with model_at(provider.url.replace("http://", "https://"), name=name) as model:
        error = failure_of(model, ask())

    assert type(error) is ModelUnavailableError


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", SERVED)
def test_a_server_that_nobody_vouches_for_was_never_asked(name: str, self_signed: ProviderServer) -> None:
    with model_at(self_signed.url, name=name) as model:
        error = failure_of(model, ask())

    assert type(error) is ModelUnavailableError
    assert self_signed.books.calls == []


def _bill(script: Script) -> int:
    """Return how many bytes Anthropic's stream has when it has told its bill, but not yet its end."""
    *told, _stop = anthropic_messages.events(script, "m")
    return len(b"".join(told))


def _marker(name: str, script: Script) -> int:
    """Return how many bytes a stream has when it has said everything that makes it whole."""
    if name == "anthropic":
        return len(b"".join(anthropic_messages.events(script, "m")))
    events = openai_chat.events(script, "m") if name == "openai" else sagemaker_runtime.events(script, "m")
    *told, _done = events
    return len(b"".join(told)) - (len(b"\n\n") if name == "openai" else 0)
