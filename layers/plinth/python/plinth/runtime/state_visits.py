"""Which visit of its state a step serves, as the state machine tells: when that began, and how often it was tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STATE = "state"
"""The field of a step's event that holds `$states.context.State`; no contract has it, since no step decides by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVisit:
    """`entered_at` is in Unix seconds, None outside a state machine; `retry` tries of the state have failed before."""

    entered_at: float | None = None
    retry: int = 0


OUTSIDE = StateVisit()


def visit_of(event: Mapping[str, Any]) -> StateVisit:
    """Return the visit that the event tells of; executions of an older machine tell of none."""
    state = event.get(STATE)
    if not state:
        return OUTSIDE
    entered = datetime.fromisoformat(str(state["EnteredTime"]).replace("Z", "+00:00"))
    return StateVisit(entered_at=entered.timestamp(), retry=int(state.get("RetryCount", 0)))
