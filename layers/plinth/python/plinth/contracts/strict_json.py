"""What counts as JSON from a model: one value that can be read in one way only."""

import json
from typing import NoReturn


def parse_strictly(text: str) -> object:
    """Return the value, or raise `ValueError`: for what is no JSON, NaN, a name that stands twice, too deep nesting."""
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once_each)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
