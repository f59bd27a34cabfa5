"""Which hosts a tier lists: by name, or all below a name as `*.name`. Never by address, never all of them."""

import re
from collections.abc import Iterable

HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
"""A full name in lower case, as DNS has it; the last part begins with a letter, so that no address is one."""


def is_listed(host: str, hosts: Iterable[str]) -> bool:
    """Say whether the list names the host, or everything below a name that the host ends in."""
    return any(host.endswith(each[1:]) if each.startswith("*.") else host == each for each in hosts)


def is_entry(entry: str) -> bool:
    """Say whether a list may hold this: a full name, or `*.` and one."""
    return HOST.fullmatch(entry.removeprefix("*.")) is not None
