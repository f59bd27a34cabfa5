"""remember: keep a fact of the user's for later conversations."""

from typing import Annotated

from msgspec import Meta

from plinth.contracts.conversations import MAX_FACT_CHARACTERS
from plinth.contracts.tools import ToolOutcome
from plinth.tools.tool import Arguments, Effect, Surroundings, Tool


class RememberArguments(Arguments):
    """What to keep."""

    fact: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_FACT_CHARACTERS,
            pattern=r"\S",
            description="One sentence that stands by itself, in the user's own words.",
        ),
    ]


def remember(given: RememberArguments, surroundings: Surroundings) -> ToolOutcome:
    """Keep the fact within the scope of the user who asks, and of nobody else."""
    surroundings.keep_fact(given.fact)
    return ToolOutcome(text="It is remembered.")


REMEMBER = Tool(
    name="remember",
    description="Remember a fact about the user for later conversations. Use it only if the user asks for that.",
    arguments=RememberArguments,
    effect=Effect.WRITE,
    timeout_seconds=15.0,
    work=remember,
)
