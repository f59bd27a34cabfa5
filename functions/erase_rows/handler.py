"""EraseRows: remove rows from every table, for whoever is being erased."""

from plinth.contracts import EraseRowsInput, EraseRowsOutput
from plinth.runtime import step
from plinth.runtime.erasures import erase_pages
from plinth.wiring import Services


def erase_rows(request: EraseRowsInput, services: Services) -> EraseRowsOutput:
    """Take some pages; the machine calls again until there are no more."""
    done = erase_pages(request.erasure_id, "EraseRows", services.erasing.rows, services)
    return EraseRowsOutput(done=done)


handler = step(erase_rows)
