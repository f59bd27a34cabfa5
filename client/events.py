"""Which events of a run's log a reader meets: types that this client does not know are left out."""

from typing import get_args

import msgspec

from plinth.contracts.events import Event, LoggedEvent

_KNOWN = frozenset(kind.__struct_config__.tag for kind in get_args(Event))


class _Tag(msgspec.Struct):
    type: str


class _Envelope(msgspec.Struct):
    event: _Tag


def decode(data: str) -> LoggedEvent | None:
    """Return the event in one server-sent `data`, or None for a type that this client does not know."""
    if msgspec.json.decode(data, type=_Envelope).event.type not in _KNOWN:
        return None
    return msgspec.json.decode(data, type=LoggedEvent)
