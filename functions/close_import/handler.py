"""CloseImport: end an import, as done or as stopped."""

from plinth.contracts import CloseImportInput, CloseImportOutput
from plinth.contracts.importing import ImportState
from plinth.runtime import step
from plinth.wiring import Services


def close_import(request: CloseImportInput, services: Services) -> CloseImportOutput:
    """Say that every file was dealt with, or that the batch ended before."""
    state = ImportState.STOPPED if request.error else ImportState.DONE
    services.imports.close(request.batch, state)
    return CloseImportOutput(state=state)


handler = step(close_import)
