"""What a caller may say when it asks a question: fields, their bounds and their meaning."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


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
        int | None, Field(ge=1, le=1_000_000, description="Clipped to what the tenant's tier allows.")
    ] = None
    tools: Annotated[
        list[str], Field(max_length=20, description="Tools that the model may use, of those of the tenant's tier.")
    ] = []
    filter: Annotated[PassageFilter | None, Field(description="Which passages may be found; by default all.")] = None
