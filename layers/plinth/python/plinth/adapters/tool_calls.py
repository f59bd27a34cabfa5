"""How the pieces of a model's output are put together: tool calls by index, and no more than was asked for."""

from dataclasses import dataclass

from plinth.contracts.models import ToolCall
from plinth.errors import ModelReplyInvalidError

_CHARACTERS_PER_TOKEN = 16
_SPARE_CHARACTERS = 1000
_MOST_CALLS = 128


class OutputBound:
    """Counts the characters of an answer; a token of any known tokenizer has less than 16 of them on average."""

    def __init__(self, max_output_tokens: int) -> None:
        self._left = max_output_tokens * _CHARACTERS_PER_TOKEN + _SPARE_CHARACTERS

    def count(self, text: str) -> None:
        """Raise `ModelReplyInvalidError` once there is more text than the allowed tokens can hold.

        Also for half of a surrogate pair, which JSON can spell and no store can keep.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ModelReplyInvalidError("the answer holds half of a letter") from error
        self._left -= len(text)
        if self._left < 0:
            raise ModelReplyInvalidError("the answer is longer than the allowed tokens can be")


@dataclass(slots=True)
class _Part:
    id: str = ""
    name: str = ""
    arguments: str = ""


class ToolCalls:
    """Tool calls under way. Their arguments are kept as the model writes them: nothing is parsed or repaired here."""

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def add(self, index: int, call_id: str | None, name: str | None, arguments: str) -> None:
        """Add a piece to the call at `index`, which the first piece of it names."""
        part = self._parts.setdefault(index, _Part())
        part.id = part.id or call_id or ""
        part.name = part.name or name or ""
        part.arguments += arguments
        if len(self._parts) > _MOST_CALLS:
            raise ModelReplyInvalidError(f"the model asks for more than {_MOST_CALLS} tools at once")

    def complete(self) -> tuple[ToolCall, ...]:
        """Return the calls in order; raise `ModelReplyInvalidError` where one has no id or no name.

        Providers stream nothing, or an empty text, for a tool that takes no arguments.
        """
        parts = [self._parts[index] for index in sorted(self._parts)]
        if not all(part.id and part.name for part in parts):
            raise ModelReplyInvalidError("the model asks for a tool without saying which")
        return tuple(ToolCall(id=part.id, name=part.name, arguments=part.arguments or "{}") for part in parts)
