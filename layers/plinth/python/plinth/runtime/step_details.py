"""Which fields of a step's input and output its log entry repeats, so that a trace can tell what the step did."""

from collections.abc import Iterable

from plinth.contracts.events import Details

_ASKED = ("owner", "turn", "attempt", "number")
_FOR_THE_MACHINE = frozenset({"cache_key", "near_key", "digest", "position", "saved_at"})
_CALL = (
    "model",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "cost_micro_usd",
    "estimated",
)


def asked_details(request: object) -> Details:
    """Return which turn, attempt or tool the step was asked for, and by which execution it was claimed."""
    return _details(request, _ASKED)


def told_details(result: object) -> Details:
    """Return what came out: contracts hold names and numbers only, and a model call's are those of its bill."""
    names = getattr(type(result), "__dataclass_fields__", {})
    details = _details(result, [name for name in names if name not in _FOR_THE_MACHINE])
    for call in getattr(result, "calls", ()):
        details |= _details(call, _CALL)
    return details


def _details(record: object, names: Iterable[str]) -> Details:
    details: Details = {}
    for name in names:
        value = getattr(record, name, None)
        if isinstance(value, str | int | float) and value != "":
            details[name] = value
    return details
