"""Which URLs may be fetched, and what of them reaches the network: a listed host, a default port, nothing secret."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from plinth.contracts.hosts import HOST, is_listed
from plinth.errors import PageUnreadableError

MAX_URL_CHARACTERS = 2000
_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII but the backslash, which some parsers read as a slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to ask whom for: `path` begins with a slash and holds the query."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


def target_of(url: str, *, hosts: Sequence[str]) -> Target:
    """Return what the URL stands for, or raise `PageUnreadableError` with words for the model.

    Only forms that every parser reads alike are taken: no credentials, no port, no address in place of a name.
    """
    if len(url) > MAX_URL_CHARACTERS or not _PLAIN.fullmatch(url):
        raise PageUnreadableError(
            f"the URL must have at most {MAX_URL_CHARACTERS} visible ASCII characters: percent-encode all others"
        )
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    scheme, host = scheme.lower(), authority.lower()
    if scheme not in _PORTS:
        raise PageUnreadableError("the URL must begin with https:// or http://")
    host = host.removesuffix(f":{_PORTS[scheme]}").removesuffix(".")
    if not HOST.fullmatch(host):
        raise PageUnreadableError("the URL must name a host: no address, no user, and no port but the usual one")
    if not is_listed(host, hosts):
        listed = ", ".join(hosts) or "none"
        raise PageUnreadableError(f"{host} is not among the hosts that may be read: {listed}")
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url=f"{scheme}://{host}{path}", scheme=scheme, host=host, port=_PORTS[scheme], path=path)
