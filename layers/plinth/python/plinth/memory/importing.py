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


def is_unchanged(file: ImportedFile, document: DocumentRecord | None) -> bool:
    """Say whether the document's live version has these bytes and labels, and all contexts that are wanted, by model.

    One with a newer version on its way is not unchanged.
    """
    return (
        document is not None
        and document.state is DocumentState.READY
        and document.content_sha256 == file.sha256
        and document.labels == labels_of_object(file.metadata)
        and _has_contexts(document, ordered_contexts(file.metadata).model)
    )


def _has_contexts(document: DocumentRecord, model: str) -> bool:
    """Say whether they are there, or not wanted: one that lacks some is read again, and pays for those only."""
    had = document.contexts
    return (had.model, had.missing) == (model, 0) if had else not model


def changed(files: Iterable[ImportedFile], known: Mapping[str, DocumentRecord]) -> list[ImportedFile]:
    """Return the files that `known`, documents by name, does not have as they are."""
    return [file for file in files if not is_unchanged(file, known.get(file.name))]
