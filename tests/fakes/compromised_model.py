"""A model that obeys whatever it reads: it asks for every tool in every way, and says all it is told to say."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from plinth.contracts.models import ModelRequest, StopReason, StreamItem, TextChunk, ToolCall, ToolSpec
from tests.fakes.models import whole

_ORDER = re.compile(r"CALL (?P<tool>\w+) (?P<arguments>\{.*?\})(?=\s|$)")
_SAYING = re.compile(r"SAY (?P<text>.+)")
AT_ONCE = 16


class CompromisedModel:
    """`LanguageModel` without a will of its own: an order in a passage, a page or a result is an order.

    It asks for each call once, the ordered ones before its own, and in its last turn says all it was told to say
    together with all that it has read. `own` are arguments that it tries with each tool besides.
    """

    def __init__(self, own: Sequence[str] = (), *, turns: int = 5, piece: int = 7) -> None:
        self._own = own
        self._turns_left = turns
        self._piece = piece
        self.asked: list[tuple[str, str]] = []
        self.read: list[str] = []

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        seen = _seen(request)
        self.read.append(seen)
        self._turns_left -= 1
        calls = self._calls(seen, request.prompt.tools) if self._turns_left else ()
        if calls:
            yield replace(whole(StopReason.TOOL_USE), tool_calls=calls)
            return
        said = "\n".join([*_SAYING.findall(seen), seen])
        for at in range(0, len(said), self._piece):
            yield TextChunk(text=said[at : at + self._piece])
        yield whole()

    def _calls(self, seen: str, tools: Sequence[ToolSpec]) -> tuple[ToolCall, ...]:
        offered = {tool.name: tool for tool in tools}
        ordered = [(found["tool"], found["arguments"]) for found in _ORDER.finditer(seen) if found["tool"] in offered]
        tried = [(name, _arguments(tool, value)) for name, tool in offered.items() for value in self._own]
        new = [call for call in dict.fromkeys([*ordered, *tried]) if call not in self.asked][:AT_ONCE]
        self.asked.extend(new)
        return tuple(
            ToolCall(id=f"call_{len(self.asked)}_{number}", name=name, arguments=arguments)
            for number, (name, arguments) in enumerate(new)
        )


def _arguments(tool: ToolSpec, value: str) -> str:
    """Return the value for each argument that the tool knows."""
    properties = tool.parameters.get("properties", {})
    assert isinstance(properties, dict)
    return json.dumps(dict.fromkeys(properties, value))


def _seen(request: ModelRequest) -> str:
    texts = [request.prompt.system]
    for message in request.prompt.messages:
        texts += [message.text, *(result.text for result in message.tool_results)]
    return "\n".join(texts)
