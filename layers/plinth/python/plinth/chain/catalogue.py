"""Which models there are: who serves each, and how much it reads and writes."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from plinth.errors import InvalidRequestError

Provider = Literal["sagemaker", "anthropic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """One model. Limits in tokens; `passage_characters` bounds the passages in a prompt, `history_turns` the memory."""

    id: str
    provider: Provider
    provider_model: str
    context_window: int
    max_output_tokens: int
    passage_characters: int
    history_turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Catalogue:
    models: tuple[CatalogueModel, ...]


@cache
def models() -> dict[str, CatalogueModel]:
    """Return every model by its id, in the order of the file."""
    text = (files("plinth.chain") / "catalogue.json").read_bytes()
    return {model.id: model for model in msgspec.json.decode(text, type=_Catalogue).models}


def model(model_id: str) -> CatalogueModel:
    """Return one model, or raise `InvalidRequestError` that lists what there is."""
    found = models().get(model_id)
    if found is None:
        raise InvalidRequestError(f"model: {model_id!r} is not in the catalogue; use one of {', '.join(models())}")
    return found
