"""Which import a list of files is, and which of them are searchable already as they are."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from plinth.contracts.importing import ImportedFile
from plinth.contracts.memory import DocumentRecord, DocumentState
from plinth.contracts.tenant import Tenant
from plinth.memory.tagging import labels_of_object, ordered_contexts


def import_id(tenant: Tenant, files: Iterable[ImportedFile]) -> str:
    """Return the id of an import: the same files under the same names, in any order, are the same import."""
    listed = msgspec.json.encode(sorted(files, key=lambda file: file.name), order="deterministic")
    return "imp_" + hashlib.sha256(tenant.id.encode() + b"\0" + listed).hexdigest()[:24]


def is_live(file: ImportedFile, document: DocumentRecord | None) -> bool:
    """Say whether the document's live version has these bytes and labels, and no newer one is on its way."""
    return (
        document is not None
        and document.state is DocumentState.READY
        and document.content_sha256 == file.sha256
        and document.labels == labels_of_object(file.metadata)
    )


def is_unchanged(file: ImportedFile, document: DocumentRecord | None) -> bool:
    """Say whether it is live with all contexts that are wanted, by model; one that lacks some pays for those only."""
    if document is None or not is_live(file, document):
        return False
    had, model = document.contexts, ordered_contexts(file.metadata).model
    return (had.model, had.missing) == (model, 0) if had else not model


def changed(files: Iterable[ImportedFile], known: Mapping[str, DocumentRecord]) -> list[ImportedFile]:
    """Return the files that `known`, documents by name, does not have as they are."""
    return [file for file in files if not is_unchanged(file, known.get(file.name))]
