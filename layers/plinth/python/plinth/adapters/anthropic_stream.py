"""What the events of Anthropic's Messages stream mean; only a stream that reaches `message_stop` is an answer."""

from collections.abc import Callable, Iterator

from anthropic.types import RawContentBlockDelta, RawContentBlockStartEvent, RawMessageStreamEvent

from plinth.adapters.tool_calls import OutputBound, ToolCalls
from plinth.contracts.models import ModelEnd, StopReason, StreamItem, TextChunk, Usage, Working
from plinth.errors import ModelReplyInvalidError, ModelStreamCutError

_STOP_REASONS = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "max_tokens": StopReason.MAX_TOKENS,
    "model_context_window_exceeded": StopReason.MAX_TOKENS,
    "tool_use": StopReason.TOOL_USE,
    "refusal": StopReason.REFUSAL,
}


class MessageReader:
    """Gathers one message, and calls `tell` with its bill. `content` says whether the model has said anything.

    `stopped` says that nothing more will come.
    The SDK builds events without checking them: what is not there is None, whatever its type says.
    """

    def __init__(self, max_output_tokens: int, *, tell: Callable[[Usage], None]) -> None:
        self.content = False
        self._tell = tell
        self._usage: Usage | None = None
        self._input: dict[str, int] = {}
        self._bound = OutputBound(max_output_tokens)
        self._calls = ToolCalls()
        self._stop_reason: str | None = None
        self.stopped = False

    def take(self, event: RawMessageStreamEvent) -> Iterator[StreamItem]:
        """Yield what the event says; raise `ModelReplyInvalidError` where it says too much or lacks what it must."""
        try:
            yield from self._take(event)
        except (AttributeError, TypeError) as error:
            raise ModelReplyInvalidError("the stream holds an event that lacks what it must have") from error

    def whole(self) -> ModelEnd:
        """Return the end; raise `ModelStreamCutError` unless the stream came to it with a known stop reason."""
        stop_reason = _STOP_REASONS.get(self._stop_reason or "")
        if not self.stopped or stop_reason is None or self._usage is None:
            raise ModelStreamCutError(
                f"the stream ended before message_stop with a known stop reason: {self._stop_reason!r}"
            )
        return ModelEnd(stop_reason=stop_reason, usage=self._usage, tool_calls=self._calls.complete())

    def _take(self, event: RawMessageStreamEvent) -> Iterator[StreamItem]:
        if event.type == "message_start":
            self._count_input(event.message.usage)
        elif event.type == "content_block_start":
            yield from self._begin(event)
        elif event.type == "content_block_delta":
            yield from self._add(event.index, event.delta)
        elif event.type == "content_block_stop":
            yield Working()
        elif event.type == "message_delta":
            self._stop_reason = event.delta.stop_reason
            self._count_input(event.usage)
            self._count_output(event.usage)
            yield Working()
        elif event.type == "message_stop":
            self.stopped = True

    def _begin(self, event: RawContentBlockStartEvent) -> Iterator[StreamItem]:
        block = event.content_block
        self.content = True
        if block.type == "tool_use":
            self._calls.add(event.index, block.id, block.name, "")
        if block.type == "text" and block.text:
            self._bound.count(block.text)
            yield TextChunk(text=block.text)
        else:
            yield Working()

    def _add(self, index: int, delta: RawContentBlockDelta) -> Iterator[StreamItem]:
        if delta.type == "text_delta" and delta.text:
            self._bound.count(delta.text)
            yield TextChunk(text=delta.text)
            return
        if delta.type == "input_json_delta":
            self._bound.count(delta.partial_json)
            self._calls.add(index, None, None, delta.partial_json)
        yield Working()

    def _count_input(self, usage: object) -> None:
        """Keep the counts that an event has: those at the end are the whole message's, but may be left out."""
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            count = _count(usage, name)
            if count is not None:
                self._input[name] = count

    def _count_output(self, usage: object) -> None:
        output = _count(usage, "output_tokens")
        thinking = _count(getattr(usage, "output_tokens_details", None), "thinking_tokens")
        if output is None or "input_tokens" not in self._input:
            raise ModelReplyInvalidError("the stream's usage lacks its counts")
        self._usage = Usage(
            input_tokens=self._input["input_tokens"],
            output_tokens=output,
            cached_input_tokens=self._input.get("cache_read_input_tokens", 0),
            cache_write_tokens=self._input.get("cache_creation_input_tokens", 0),
            thinking_tokens=min(output, thinking or 0),
        )
        self._tell(self._usage)


def _count(usage: object, name: str) -> int | None:
    """Return a count, or None where it is left out; raise `ModelReplyInvalidError` for what counts nothing."""
    count = getattr(usage, name, None)
    if count is not None and not (isinstance(count, int) and count >= 0):
        raise ModelReplyInvalidError(f"the stream's {name} is no count")
    return count
