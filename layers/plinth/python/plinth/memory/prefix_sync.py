"""What a pass of a sync does: which objects are new or changed, which documents go, and what an object's path says.

What the sync brought is known before its source is listed: an object that another pass adds meanwhile is then missing
from what is known, where it is placed once more, and never from the listing, where its document would go.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from plinth.contracts.importing import ImportedFile, ImportFailure, SyncedObject
from plinth.contracts.syncs import LastPass, ListedObject, Permission, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, InvalidFieldError
from plinth.memory.labels import MOST_NAMES, NAME
from plinth.memory.naming import document_id, name_fault
from plinth.memory.tagging import CONTEXT_NAMES, OWN_MARK, labels_of

MOST_FILES = 10_000
"""That one pass places; the next one goes on."""
MOST_OBJECTS = 100_000
FEW_DOCUMENTS = 10
"""Of no more than these a pass deletes whatever share is gone, unless nothing at all is left."""
PERMITTED_SECONDS = 600
"""How long a permission holds: an asynchronous call may come hours late."""
_SHOWN = 100
_TICK_SECONDS = 60
_PART = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to place, which documents (ids) have lost their object, and what stays as it is."""

    files: tuple[ImportedFile, ...] = ()
    added: int = 0
    changed: int = 0
    gone: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    refused: tuple[ImportFailure, ...] = ()
    seen: int = 0


def sync_id(tenant: Tenant, bucket: str, prefix: str) -> str:
    """Return the id of a sync: the same prefix of a tenant is the same sync, and the id begins with its tenant."""
    return f"{tenant.id}-{hashlib.sha256(f'{bucket}/{prefix}'.encode()).hexdigest()[:12]}"


def tenant_of(sync: str) -> Tenant | None:
    """Return whose the sync of this id is, None of what is no id."""
    found = re.fullmatch(r"(.+)-[0-9a-f]{12}", sync)
    try:
        return Tenant(id=found[1]) if found else None
    except ValueError:
        return None


def import_of(sync: str) -> str:
    """Return the import that places what the sync finds: one, so that its passes run one at a time."""
    return "imp_" + hashlib.sha256(sync.encode()).hexdigest()[:24]


def overlap(sync: Sync, other: Sync) -> bool:
    """Say whether both would bring the same objects."""
    within = sync.prefix.startswith(other.prefix) or other.prefix.startswith(sync.prefix)
    return sync.id != other.id and sync.bucket == other.bucket and within


def is_due(sync: Sync, *, now: float) -> bool:
    """Say whether the schedule, which is a little early or late, should begin a pass."""
    return sync.due_at <= now + _TICK_SECONDS


def require_usable(sync: Sync) -> None:
    """Raise `InvalidFieldError` for a prefix, a pattern or metadata that no object could be read by."""
    if sync.prefix.startswith("/") or (sync.prefix and not sync.prefix.endswith("/")):
        raise InvalidFieldError("prefix", "must be empty, or a folder such as handbook/ that ends with a slash")
    for field, names in (("metadata", list(sync.metadata)), ("pattern", _names(sync))):
        if taken := (CONTEXT_NAMES | {OWN_MARK, "tenant"}).intersection(names):
            raise InvalidFieldError(field, f"{min(taken)} is reserved: use another name; a sync has one tenant")
    labels_of(sync.metadata)
    if len({OWN_MARK, *sync.metadata, *_names(sync)}) > MOST_NAMES:
        told = f"has, with the names of the pattern and {OWN_MARK}, more than {MOST_NAMES} names: send fewer"
        raise InvalidFieldError("metadata", told)


def _names(sync: Sync) -> list[str]:
    """Return the names of the folders below the prefix, outermost first."""
    names = [_PART.fullmatch(part) for part in sync.pattern.strip("/").split("/")] if sync.pattern else []
    found = [each[1] for each in names if each and NAME.fullmatch(each[1])]
    if len(found) < len(names) or len(set(found)) < len(found):
        raise InvalidFieldError("pattern", "is folders such as {department}/{year}/, each name once, of a-z 0-9 _ . -")
    return found


def planned(sync: Sync, brought: Mapping[str, str], objects: Iterable[ListedObject], *, most_bytes: int) -> Plan:
    """Compare what the sync brought (fingerprints by document id) with what its source holds."""
    files: list[ImportedFile] = []
    refused: list[ImportFailure] = []
    there: dict[str, bool] = {}
    for found in objects:
        name = f"{sync.bucket}/{found.key}"
        document = document_id(sync.tenant, name)
        fingerprint = _fingerprint(sync, found)
        there[document] = brought.get(document) == fingerprint
        if there[document] or len(files) == MOST_FILES:
            continue
        try:
            metadata = marks_of_path(sync, found.key)
            _require_size(found, most_bytes)
        except DocumentRefusedError as refusal:
            refused.append(ImportFailure(name=name, reason=refusal.reason, message=refusal.message))
            continue
        source = SyncedObject(
            sync_id=sync.id, bucket=sync.bucket, key=found.key, etag=found.etag, fingerprint=fingerprint
        )
        files.append(
            ImportedFile(
                name=name, sha256="", size_bytes=found.size_bytes, content_type="", metadata=metadata, source=source
            )
        )
    changed = sum(document_id(sync.tenant, file.name) in brought for file in files)
    return Plan(
        files=tuple(files),
        added=len(files) - changed,
        changed=changed,
        gone=tuple(each for each in brought if each not in there),
        unchanged=tuple(each for each, same in there.items() if same),
        refused=tuple(refused[:_SHOWN]),
        seen=len(there),
    )


def _require_size(found: ListedObject, most_bytes: int) -> None:
    if found.size_bytes > most_bytes:
        raise DocumentRefusedError("too_large", f"the object is over {most_bytes} bytes: split it")


def marks_of_path(sync: Sync, key: str) -> dict[str, str]:
    """Return what the object's document is marked with, whatever its tags say; raise why it can't be one."""
    if fault := name_fault(sync.tenant, f"{sync.bucket}/{key}"):
        raise DocumentRefusedError("bad_name", f"its name {fault}: rename the object")
    names, folders = _names(sync), key.removeprefix(sync.prefix).split("/")[:-1]
    if len(folders) < len(names):
        raise DocumentRefusedError(
            "path_mismatch", f"it lies in {len(folders)} folders, not in {sync.pattern}: move it"
        )
    marks = {**dict(zip(names, folders, strict=False)), **sync.metadata, OWN_MARK: sync.id}
    try:
        labels_of(marks)
    except InvalidFieldError as error:
        raise DocumentRefusedError("bad_metadata", f"{error}: rename the folder") from error
    return marks


def withholds(plan: Plan, brought: Mapping[str, str], permission: Permission | None, *, now: float) -> bool:
    """Say whether so much would go that somebody should look first: more than half, or all that there is.

    Who permits it has looked a moment ago, and saw as much.
    """
    lasts = permission is not None and now <= permission.asked_at + PERMITTED_SECONDS
    if len(plan.gone) <= (permission.deletions if permission and lasts else 0):
        return False
    return not plan.seen or (len(brought) > FEW_DOCUMENTS and 2 * len(plan.gone) > len(brought))


def next_pass(sync: Sync, last: LastPass, *, is_whole: bool) -> float:
    """Return when the next pass is due: at once, where this one left something to do."""
    return last.at + sync.every_seconds if is_whole else last.at


def _fingerprint(sync: Sync, found: ListedObject) -> str:
    """Return what a version is known by under these settings: other settings place every object anew."""
    told = [found.etag, found.size_bytes, found.modified_at, sync.pattern, sorted(sync.metadata.items())]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:24]
