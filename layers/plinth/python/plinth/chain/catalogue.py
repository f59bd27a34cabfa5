"""Which models there are and in which order a route asks them; each is joined to its price, or refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar, get_args

import msgspec

from plinth.errors import InvalidFieldError, PlinthError
from plinth.money.prices import price_of
from plinth.settings import Settings

Provider = Literal["anthropic", "openai", "sagemaker", "sagemaker_openai"]
"""`sagemaker` is InvokeEndpointWithResponseStream, `sagemaker_openai` the OpenAI route of an endpoint."""

Capability = Literal["tools", "structured_output", "prompt_cache", "thinking"]

MoveOn = Literal[
    "model_busy",
    "model_waking",
    "model_unavailable",
    "model_silent",
    "model_stream_cut",
    "model_reply_invalid",
    "model_output_spent",
    "model_context_exceeded",
    "model_key_refused",
    "model_not_configured",
    "breaker_open",
]
"""Why a route asks its next model: the `reason` of a `ModelError`, or a breaker that is open."""

ALWAYS: tuple[MoveOn, ...] = get_args(MoveOn)

_MOST_HISTORY_CHARACTERS = 100_000

_Entry = TypeVar("_Entry")


class CatalogueError(PlinthError):
    """The catalogue contradicts itself; the message names the entry."""


class CatalogueModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model. Limits in tokens and seconds.

    `passage_characters` bounds the passages in a prompt, `history_turns` the memory; `tiers` is empty where every tier
    may have it. A model that `checks_answerable` is asked first whether the passages hold an answer, by a call of its
    own: for models that would rather make one up. The markers of one that `checks_citations` are moved to passages that
    hold what was said before them: for models that give any number. `first_seconds` is how long it may be silent before
    its first sign of life, `stall_seconds` after it.
    """

    id: str
    provider: Provider
    provider_model: str
    context_window: int
    max_output_tokens: int
    passage_characters: int
    history_turns: int
    capabilities: tuple[Capability, ...] = ()
    tiers: tuple[str, ...] = ()
    checks_answerable: bool = False
    checks_citations: bool = False
    first_seconds: float = 20.0
    stall_seconds: float = 15.0


class RouteStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of a route, and the reasons for which the next one is asked instead."""

    model: str
    move_on: tuple[MoveOn, ...] = ALWAYS


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Models in the order in which they are asked.

    `sticky` keeps a conversation with the model that answered it last, because that one holds its prompt cache.
    """

    name: str
    steps: tuple[RouteStep, ...]
    sticky: bool = True

    @property
    def models(self) -> tuple[CatalogueModel, ...]:
        """The models themselves, in order."""
        return tuple(model(step.model) for step in self.steps)

    @property
    def passage_characters(self) -> int:
        """What the smallest of its models reads: any of them may have to answer."""
        return min(each.passage_characters for each in self.models)

    @property
    def history_turns(self) -> int:
        """What the most forgetful of its models remembers."""
        return min(each.history_turns for each in self.models)

    @property
    def history_characters(self) -> int:
        """What those turns may hold: half of what the smallest model reads, a token a character, and 100,000 at most.

        Larger ones would not fit into the item that keeps a run's prompt.
        """
        return min(_MOST_HISTORY_CHARACTERS, *(each.context_window // 2 for each in self.models))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Every model and route, by its name, in the order of the file."""

    models: Mapping[str, CatalogueModel]
    routes: Mapping[str, Route]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    models: tuple[CatalogueModel, ...]
    routes: tuple[Route, ...] = ()


@cache
def catalogue() -> Catalogue:
    """Return the packaged catalogue, or the one that replaces it; raise where it can't hold."""
    source = Settings().catalogue_file or files("plinth.chain") / "catalogue.json"
    return read_catalogue(source.read_bytes())


def read_catalogue(text: bytes) -> Catalogue:
    """Return the catalogue of a file's bytes; raise `CatalogueError` or `UnpricedModelError` naming the entry."""
    try:
        content = msgspec.json.decode(text, type=_File)
    except msgspec.DecodeError as error:
        raise CatalogueError(f"the catalogue is malformed: {error}") from error
    models = _by_name((each.id, each) for each in content.models)
    for each in models:
        price_of(each)
    routes = _by_name((each.name, each) for each in content.routes)
    for named in routes.values():
        _check(named, models)
    return Catalogue(models=models, routes=routes)


def model(model_id: str) -> CatalogueModel:
    """Return one model, or raise `InvalidFieldError` that lists what there is."""
    found = catalogue().models.get(model_id)
    if found is None:
        raise InvalidFieldError("model", f"{model_id!r} is not in the catalogue; use one of {', '.join(names())}")
    return found


def route(name: str) -> Route:
    """Return the named route; a model's own name is the route to it alone."""
    found = catalogue().routes.get(name)
    return found or Route(name=name, steps=(RouteStep(model=model(name).id),))


def names() -> tuple[str, ...]:
    """Return every name that a request may give: models, then routes."""
    return (*catalogue().models, *catalogue().routes)


def _check(route: Route, models: Mapping[str, CatalogueModel]) -> None:
    if not route.steps or route.name in models:
        raise CatalogueError(f"route {route.name!r} needs at least one model and a name that no model has")
    for step in route.steps:
        if step.model not in models:
            raise CatalogueError(f"route {route.name!r} names {step.model!r}, which is not in the catalogue")


def _by_name(entries: Iterable[tuple[str, _Entry]]) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for name, entry in entries:
        if name in found:
            raise CatalogueError(f"two entries of the catalogue share the name {name!r}")
        found[name] = entry
    return found
