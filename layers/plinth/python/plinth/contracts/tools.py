"""What a tool gives back to the model that asked for it."""

from dataclasses import dataclass

from plinth.contracts.memory import StoredPassage


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """Text for the model, and passages that its answer may cite; `failed` says that `text` tells what went wrong."""

    text: str
    passages: tuple[StoredPassage, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """What a host answered. `url` is where the last redirect led; `content_type` is without its parameters."""

    url: str
    content_type: str
    body: bytes
