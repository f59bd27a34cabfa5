"""NoteOutcome: count a file of an import as ready, or as failed with its reason."""

from plinth.contracts import NoteOutcomeInput, NoteOutcomeOutput
from plinth.memory.naming import document_id
from plinth.runtime import step
from plinth.runtime.imports import outcome
from plinth.wiring import Services


def note_outcome(request: NoteOutcomeInput, services: Services) -> NoteOutcomeOutput:
    """Tell by the document's row what became of the file; a repeated call counts it once."""
    failure, batch = outcome(request, services), request.batch
    services.imports.note(batch, document_id(batch.tenant, request.file.name), failure)
    return NoteOutcomeOutput(failed=failure is not None)


handler = step(note_outcome)
