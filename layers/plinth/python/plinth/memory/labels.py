"""Which passages a caller may see, and how labels and metadata are spelled. What carries no label is seen by none."""

import re
from collections.abc import Iterable, Mapping, Sequence

from plinth.contracts.memory import EVERYONE, Labels, SearchScope
from plinth.errors import InvalidFieldError

NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
MOST_NAMES = 16
"""Names of metadata that a document may have, and so a filter."""
_LONGEST_VALUE = 256
_MOST_VALUES = 32


def readers_of(labels: Labels) -> tuple[str, ...]:
    """Return the access labels as they are indexed: never none, so that nothing is open by omission."""
    return labels.access or (EVERYONE,)


def open_to(held: Iterable[str]) -> tuple[str, ...]:
    """Return the indexed labels that a caller who holds these may read."""
    return (EVERYONE, *sorted(set(held)))


def may_read(held: Iterable[str], labels: Labels) -> bool:
    """Say whether a caller who holds these may know of a document so labelled."""
    return not set(open_to(held)).isdisjoint(readers_of(labels))


def may_see(scope: SearchScope, *, access: Iterable[str], metadata: Iterable[str]) -> bool:
    """Say whether the scope holds a passage with these labels and metadata."""
    carried = set(metadata)
    return not set(open_to(scope.held)).isdisjoint(access) and all(
        not carried.isdisjoint(group) for group in scope.metadata
    )


def mark(name: str, value: str, *, field: str = "metadata") -> str:
    """Return one piece of metadata as it is indexed and asked for; `InvalidFieldError` names `field` for a bad one."""
    if not NAME.fullmatch(name):
        told = f"{name[:80]!r} is no name: use 1 to 64 of a-z 0-9 _ . - and begin with a letter"
        raise InvalidFieldError(field, told)
    if not 1 <= len(value) <= _LONGEST_VALUE:
        raise InvalidFieldError(f"{field}.{name}", f"a value has 1 to {_LONGEST_VALUE} characters")
    return f"{name}={value}"


def wanted_metadata(wanted: Mapping[str, str | Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of a filter: every name must match, each by one of its values; order does not count."""
    if len(wanted) > MOST_NAMES:
        raise InvalidFieldError("filter.metadata", f"has more than {MOST_NAMES} names: ask for fewer")
    return tuple(_group(name, wanted[name]) for name in sorted(wanted))


def _group(name: str, values: str | Sequence[str]) -> tuple[str, ...]:
    alternatives = [values] if isinstance(values, str) else values
    if not 1 <= len(alternatives) <= _MOST_VALUES:
        raise InvalidFieldError(f"filter.metadata.{name[:80]}", f"takes a value, or a list of 1 to {_MOST_VALUES}")
    return tuple(sorted({mark(name, value, field="filter.metadata") for value in alternatives}))
