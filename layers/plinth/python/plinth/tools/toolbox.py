"""Which tools there are. A model is offered those that the request names and the tenant's tier allows."""

from collections.abc import Iterable, Mapping
from typing import Any

from plinth.contracts.models import ToolSpec
from plinth.tools.calculate import CALCULATE
from plinth.tools.current_time import CURRENT_TIME
from plinth.tools.fetch_url import FETCH_URL
from plinth.tools.remember import REMEMBER
from plinth.tools.search_memory import SEARCH_MEMORY
from plinth.tools.tool import Tool

_ALL: tuple[Tool[Any], ...] = (
    CALCULATE,
    CURRENT_TIME,
    SEARCH_MEMORY,
    FETCH_URL,
    REMEMBER,
)
TOOLS: Mapping[str, Tool[Any]] = {tool.name: tool for tool in _ALL}


def specs(names: Iterable[str]) -> tuple[ToolSpec, ...]:
    """Return what a model is told of these tools, in an order that keeps prompt caches warm."""
    wanted = set(names)
    return tuple(tool.spec for name, tool in TOOLS.items() if name in wanted)
