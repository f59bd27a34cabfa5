"""Which tool calls a person must approve first, and what an approval is bound to."""

import hashlib
import json
from collections.abc import Iterable

from plinth.contracts.models import ToolCall
from plinth.contracts.strict_json import parse_strictly
from plinth.tools.tool import Effect, ToolFailedError
from plinth.tools.toolbox import TOOLS


def needs_approval(effect: Effect, *, tainted: bool) -> bool:
    """Say whether a person must agree: to any effect, once the model has read text that is not the caller's own.

    Whoever wrote such text (a passage, a tool's result, an earlier answer) may have asked for the call.
    """
    return tainted and effect is not Effect.READ


def awaiting_approval(calls: Iterable[ToolCall], *, tainted: bool) -> tuple[ToolCall, ...]:
    """Return the calls that a person must approve. One of a tool that is gone does nothing and needs nobody."""
    known = ((call, TOOLS.get(call.name)) for call in calls)
    return tuple(call for call, tool in known if tool and needs_approval(tool.effect, tainted=tainted))


def call_digest(call: ToolCall) -> str:
    """Return the SHA-256 (hex) of the tool's name and its arguments: the same for the same values, however written.

    `ToolFailedError` for arguments that are no strict JSON: a name that stands twice could be read in two ways.
    """
    try:
        canonical = json.dumps(
            [call.name, parse_strictly(call.arguments)], sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (ValueError, RecursionError) as error:
        raise ToolFailedError("the arguments are no strict JSON") from error
    return hashlib.sha256(canonical.encode()).hexdigest()
