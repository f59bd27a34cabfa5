"""When an export counts as lost, what its files are called, and what its manifest says."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from plinth.contracts.exporting import DOCUMENT_FOLDERS, Export, ExportedFile, ExportState, Manifest
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id
from plinth.memory.stores import RegisteredStore

RUN_SECONDS = 21_600
"""How long an export may run: the time limit of its machine."""
MANIFEST = "manifest.json"
_MOST_BYTES = 900
"""Of a path: with the tenant and the export before it, an object's key has at most 1,024."""


def as_it_stands(export: Export, *, now: float) -> Export:
    """Return the export; one whose machine must have ended without a word counts as failed."""
    lost = export.state is ExportState.RUNNING and now > export.began_at + RUN_SECONDS
    return replace(export, state=ExportState.FAILED) if lost else export


def lines_path(folder: str, turn: int) -> str:
    """Return where a page's records go: the same in a repeated try."""
    return f"{folder}/{turn:06d}.jsonl"


def original_path(tenant: Tenant, name: str) -> str:
    """Return where a document's file goes: by its name, or by its id where that leaves an object's key too little."""
    by_name, by_id = DOCUMENT_FOLDERS
    path = f"{by_name}{name}"
    return path if len(path.encode()) <= _MOST_BYTES else f"{by_id}{document_id(tenant, name)}"


def lines_of(records: Iterable[object]) -> bytes:
    """Return records as JSON Lines."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def manifest_of(export: Export, files: Sequence[ExportedFile], stores: Iterable[RegisteredStore]) -> Manifest:
    """Return what the ended export holds, and why other stores are not in it."""
    subject = export.subject
    return Manifest(
        id=export.id,
        tenant=subject.tenant.id,
        user=subject.user,
        began_at=export.began_at,
        ended_at=export.ended_at or export.began_at,
        records=dict(sorted(export.records.items())),
        files=tuple(files),
        not_exported={store.name: store.not_exported for store in stores if store.not_exported},
    )
