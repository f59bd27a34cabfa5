"""The public web, read-only."""

from collections.abc import Sequence
from typing import Protocol

from plinth.contracts.tools import WebPage


class Web(Protocol):
    """Reads pages of listed hosts, from the public internet only."""

    def get(self, url: str, *, hosts: Sequence[str], seconds: float) -> WebPage:
        """Return the page behind the URL and at most a few redirects, or raise `PageUnreadableError`.

        `hosts` may be read, as `plinth.contracts.hosts` reads them; a redirect is checked like the first URL.
        """
        ...
