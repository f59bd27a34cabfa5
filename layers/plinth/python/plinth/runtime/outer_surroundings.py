"""What a tool works with outside: pages of the web, fetched with checks and parsed in a child process like uploads."""

from collections.abc import Sequence

from plinth.contracts.memory import SourceObject
from plinth.contracts.runs import RunRequest
from plinth.errors import DocumentRefusedError, PageUnreadableError
from plinth.runtime.tool_calls import ToolRun
from plinth.tools.tool import Surroundings, ToolFailedError
from plinth.wiring import Services

FETCH_SECONDS = 10.0
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
}


def outer_surroundings(making: ToolRun, asked: RunRequest) -> Surroundings:
    """Return what a call may reach outside: pages of the hosts that the caller's tier lists."""
    services = making.services
    return Surroundings(
        now=services.clock.now(), read_page=lambda url: page_text(url, services, hosts=asked.fetch_hosts)
    )


def page_text(url: str, services: Services, *, hosts: Sequence[str]) -> str:
    """Return the page's title, its address and its text, or raise `ToolFailedError` with words for the model."""
    try:
        page = services.web.get(url, hosts=hosts, seconds=FETCH_SECONDS)
        name = f"page{_SUFFIXES.get(page.content_type, '.txt')}"
        parsed = services.page_parser.parse(name, SourceObject(body=page.body, content_type=page.content_type))
    except PageUnreadableError as error:
        raise ToolFailedError(str(error)) from error
    except DocumentRefusedError as error:
        raise ToolFailedError(f"the page has no text that can be read: {error.message}") from error
    return "\n\n".join((parsed.title, page.url, *(section.text for section in parsed.sections)))
