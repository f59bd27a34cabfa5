"""When an export counts as lost, what its files are called, and what its manifest says."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from plinth.contracts.exporting import Export, ExportedFile, ExportState, Manifest
from plinth.memory.stores import RegisteredStore

RUN_SECONDS = 21_600
"""How long an export may run: the time limit of its machine."""
MANIFEST = "manifest.json"


def as_it_stands(export: Export, *, now: float) -> Export:
    """Return the export; one whose machine must have ended without a word counts as failed."""
    lost = export.state is ExportState.RUNNING and now > export.began_at + RUN_SECONDS
    return replace(export, state=ExportState.FAILED) if lost else export


def lines_path(folder: str, turn: int) -> str:
    """Return where a page's records go: the same in a repeated try."""
    return f"{folder}/{turn:06d}.jsonl"


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
