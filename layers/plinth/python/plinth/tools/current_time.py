"""current_time: what no model knows by itself."""

from datetime import UTC, datetime

from plinth.contracts.tools import ToolOutcome
from plinth.tools.tool import Arguments, Effect, Surroundings, Tool


class CurrentTimeArguments(Arguments):
    """Nothing."""


def current_time(_given: CurrentTimeArguments, surroundings: Surroundings) -> ToolOutcome:
    """Return the time to the second, with its weekday."""
    now = datetime.fromtimestamp(surroundings.now, UTC)
    return ToolOutcome(text=f"{now:%A, %Y-%m-%d %H:%M:%S} UTC")


CURRENT_TIME = Tool(
    name="current_time",
    description="Tell the current date, weekday and time in UTC.",
    arguments=CurrentTimeArguments,
    effect=Effect.READ,
    timeout_seconds=1.0,
    work=current_time,
)
