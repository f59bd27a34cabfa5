"""FailExport: note that an export could not be finished; whoever wants it asks for a new one."""

from plinth.contracts import FailExportInput, FailExportOutput
from plinth.runtime import step
from plinth.runtime.exports import fail
from plinth.wiring import Services


def fail_export(request: FailExportInput, services: Services) -> FailExportOutput:
    """End the export as failed, unless it is done or was erased."""
    return FailExportOutput(failed=fail(request.job, services))


handler = step(fail_export)
