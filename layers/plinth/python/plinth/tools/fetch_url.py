"""fetch_url: read a page of a host that the tier lists."""

from typing import Annotated

from msgspec import Meta

from plinth.contracts.tools import ToolOutcome
from plinth.tools.tool import Arguments, Effect, Surroundings, Tool
from plinth.tools.urls import MAX_URL_CHARACTERS


class FetchUrlArguments(Arguments):
    """Where the page is."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL_CHARACTERS, description="The page's https:// URL.")]


def fetch_url(given: FetchUrlArguments, surroundings: Surroundings) -> ToolOutcome:
    """Return the page's text. Reading it counts as an effect: whoever runs the host learns what the URL says."""
    return ToolOutcome(text=surroundings.read_page(given.url))


FETCH_URL = Tool(
    name="fetch_url",
    description="Read a web page or a PDF of one of the hosts that may be read. Only its text is returned.",
    arguments=FetchUrlArguments,
    effect=Effect.EXTERNAL,
    timeout_seconds=20.0,
    work=fetch_url,
)
