"""What a caller may say when it asks a question: fields, their bounds and their meaning."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from plinth.access.authentication import Caller
from plinth.access.entitlement import allowed, allowed_names
from plinth.chain.catalogue import catalogue
from plinth.contracts.access import MAX_TURNS
from plinth.contracts.runs import RunRequest
from plinth.errors import InvalidFieldError
from plinth.memory.labels import wanted_metadata

_DEFAULT_OUTPUT_TOKENS = 400
_DEFAULT_SECONDS = 270
_DEFAULT_TURNS = 5


class PassageFilter(BaseModel):
    """Which passages may be found: of documents with all of this metadata."""

    model_config = ConfigDict(extra="forbid", strict=True)

    metadata: Annotated[
        dict[str, str | list[str]],
        Field(description="Every name must match: the value itself, or one of a list of values."),
    ] = {}


class RunCreation(BaseModel):
    """A question, and how to answer it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, Field(min_length=1, max_length=8000, description="What to answer from the documents.")]
    conversation_id: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Runs of one conversation remember its earlier turns."),
    ] = None
    model: Annotated[str | None, Field(max_length=100, description="A model or route of GET /v1/models.")] = None
    max_output_tokens: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="400 by default; clipped to what the tenant's tier allows.")
    ] = None
    deadline_seconds: Annotated[
        int | None, Field(ge=30, le=3600, description="When the run ends at the latest; 270, or what the tier allows.")
    ] = None
    max_turns: Annotated[
        int | None,
        Field(ge=1, le=MAX_TURNS, description="How often the model may be asked, answer included; clipped likewise."),
    ] = None
    tools: Annotated[
        list[str], Field(max_length=20, description="Tools that the model may use, of those of the tenant's tier.")
    ] = []
    filter: Annotated[PassageFilter | None, Field(description="Which passages may be found; by default all.")] = None


def run_request(creation: RunCreation, caller: Caller, *, default_model: str) -> RunRequest:
    """Return what is to be answered, within the caller's tier; raise `InvalidFieldError` for what it does not have."""
    if not creation.question.strip():
        raise InvalidFieldError("question", "must hold more than white space")
    tools = _allowed_tools(creation.tools, caller)
    model = creation.model or default_model
    return RunRequest(
        question=unicodedata.normalize("NFC", creation.question),  # as documents are, to be found in them
        model=model,
        models=_allowed_models(model, caller, with_tools=bool(tools)),
        user=caller.user,
        conversation_id=creation.conversation_id,
        max_output_tokens=min(creation.max_output_tokens or _DEFAULT_OUTPUT_TOKENS, caller.tier.max_output_tokens),
        cache=caller.tier.cache,
        key_id=caller.key_id,
        budgets=caller.tier.budgets,
        tools=tools,
        labels=caller.labels,
        metadata=wanted_metadata(creation.filter.metadata) if creation.filter else (),
        fetch_hosts=caller.tier.fetch_hosts,
        summary_model=caller.tier.summary_model or "",
        link_hosts=caller.tier.link_hosts,
        contents=caller.tier.contents,
        max_turns=min(creation.max_turns or _DEFAULT_TURNS, caller.tier.max_turns),
    )


def run_seconds(creation: RunCreation, caller: Caller) -> int:
    """Return the seconds after which the run must have ended."""
    return min(creation.deadline_seconds or _DEFAULT_SECONDS, caller.tier.deadline_seconds)


def _allowed_models(model: str, caller: Caller, *, with_tools: bool) -> tuple[str, ...]:
    """Return the models of the name that the tier has; with tools, those of them that can ask for tools."""
    models = allowed(model, caller.tier, catalogue())
    if not models:
        names = ", ".join(allowed_names(caller.tier, catalogue()))
        raise InvalidFieldError("model", f"tier {caller.tier.name} does not have {model}: use one of {names}")
    if not with_tools:
        return models
    able = tuple(each for each in models if "tools" in catalogue().models[each].capabilities)
    if not able:
        raise InvalidFieldError("tools", f"{model} takes no tools: leave them out, or name another model")
    return able


def _allowed_tools(wanted: Sequence[str], caller: Caller) -> tuple[str, ...]:
    having = caller.tier.tools
    for name in wanted:
        if name not in having:
            remedy = f"use some of {', '.join(having)}" if having else "leave them out"
            raise InvalidFieldError("tools", f"tier {caller.tier.name} does not have {name}: {remedy}")
    return tuple(sorted(set(wanted)))
