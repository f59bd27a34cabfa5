"""search_memory: look into the tenant's documents again, in the model's own words."""

from typing import Annotated

from msgspec import Meta

from plinth.contracts.tools import ToolOutcome
from plinth.tools.tool import Arguments, Effect, Surroundings, Tool

PASSAGES = 4


class SearchMemoryArguments(Arguments):
    """What to look for."""

    query: Annotated[str, Meta(min_length=1, max_length=500, description="What to look for, in plain words.")]


def search_memory(given: SearchMemoryArguments, surroundings: Surroundings) -> ToolOutcome:
    """Return the nearest live passages, which get numbers that the answer can cite."""
    passages = surroundings.search(given.query, PASSAGES)
    return ToolOutcome(text="" if passages else "Nothing was found.", passages=passages)


SEARCH_MEMORY = Tool(
    name="search_memory",
    description="Search the documents for more passages, by meaning and by words.",
    arguments=SearchMemoryArguments,
    effect=Effect.READ,
    timeout_seconds=15.0,
    work=search_memory,
)
