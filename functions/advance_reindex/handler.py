"""AdvanceReindex: do the next thing of a reindex."""

from plinth.contracts import AdvanceReindexInput, AdvanceReindexOutput
from plinth.runtime import step
from plinth.runtime.reindexing import advance
from plinth.wiring import Services


def advance_reindex(request: AdvanceReindexInput, services: Services) -> AdvanceReindexOutput:
    """Look where the reindex stands, go one step on, and say what the machine does then."""
    return advance(request, services)


handler = step(advance_reindex)
