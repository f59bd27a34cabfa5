"""How a pass of a sync goes: known documents first, then the listing, then an import of what changed, then deletions.

The sync's one import is the lock of its passes: who begins it makes the pass, and it ends when the last file is done.
"""

from collections.abc import Collection, Container, Mapping
from itertools import islice

from plinth.contracts.importing import Batch, ImportRecord, ImportState
from plinth.contracts.memory import DocumentState, KnownDocument
from plinth.contracts.syncs import LastPass, Permission, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, PlinthError, SourceUnreadableError, StoreUnavailableError
from plinth.memory.naming import document_id
from plinth.memory.prefix_sync import MOST_FILES, MOST_OBJECTS, Plan, import_of, next_pass, planned, withholds
from plinth.runtime.synced_files import standing
from plinth.wiring import Services
from plinth.wiring.stores import MAX_DOCUMENT_BYTES

MOST_DELETIONS = 1_000
"""Of one pass: each is two requests, one after the other."""
_SHOWN = 100
Known = Mapping[str, KnownDocument]


def make_pass(sync: Sync, services: Services, *, permission: Permission | None = None) -> LastPass | None:
    """Bring the documents in line with the source as far as one pass goes.

    None where the sync, which is read anew, is gone; or another pass is at work, or was while this one looked.
    """
    started_at, attempt = services.clock.now(), _next_attempt(sync, services)
    current = standing(sync.tenant, sync.id, services)
    if attempt is None or current is None:
        return None
    sync = current
    brought = services.syncs.brought(sync)
    try:
        plan = _plan(sync, brought, services)
    except PlinthError as error:
        return _failed(sync, started_at, error, services)
    batch = _begin(sync, plan, attempt, services)
    if batch is None:
        return None
    held = sync.removal is None and withholds(plan, brought, permission, now=started_at)
    try:
        known = _known(sync, brought, services)
        left, removed = (len(plan.gone), 0) if held else _give_up(sync, plan.gone, known, services)
    finally:
        _place(batch, plan, services)
    last = LastPass(
        at=started_at,
        seen=plan.seen,
        added=plan.added,
        changed=plan.changed,
        removed=removed,
        held_back=left if held else 0,
        refused=plan.refused,
        unreadable=_unreadable(plan, known),
    )
    whole = len(plan.files) < MOST_FILES and (held or len(plan.gone) <= MOST_DELETIONS)
    services.syncs.note(sync, last, due_at=next_pass(sync, last, is_whole=whole))
    if sync.removal and not left:
        services.syncs.end_removal(sync)
    return last


def _failed(sync: Sync, at: float, error: PlinthError, services: Services) -> LastPass:
    failed = LastPass(at=at, problem=str(error))
    services.syncs.note(sync, failed, due_at=next_pass(sync, failed, is_whole=True))
    return failed


def _plan(sync: Sync, brought: dict[str, str], services: Services) -> Plan:
    if sync.removal:
        return Plan(gone=tuple(brought))
    if sync.bucket not in services.settings.sync_buckets:
        raise SourceUnreadableError(f"{sync.bucket} is not among sync_buckets of this environment: add it and deploy")
    objects = list(islice(services.synced_objects.listed(sync.bucket, sync.prefix), MOST_OBJECTS + 1))
    if len(objects) > MOST_OBJECTS:
        raise SourceUnreadableError(f"{sync.bucket}/{sync.prefix} has over {MOST_OBJECTS} objects: sync its folders")
    return planned(sync, brought, objects, most_bytes=MAX_DOCUMENT_BYTES)


def _next_attempt(sync: Sync, services: Services) -> int | None:
    """Return which attempt of the import a pass would be that begins now, None while one runs."""
    try:
        known = services.imports.get(sync.tenant, import_of(sync.id))
    except NotFoundError:
        return 1
    return None if known.state is ImportState.RUNNING else known.attempt + 1


def _begin(sync: Sync, plan: Plan, attempt: int, services: Services) -> Batch | None:
    record = ImportRecord(
        import_id=import_of(sync.id),
        state=ImportState.UPLOADING,
        files=len(plan.files) + len(plan.unchanged),
        unchanged=len(plan.unchanged),
        created_at=services.clock.now(),
    )
    if services.imports.prepare(sync.tenant, record).state is ImportState.RUNNING:
        return None
    batch = services.imports.begin(sync.tenant, record.import_id)
    if batch and batch.attempt != attempt:
        services.imports.close(batch, ImportState.DONE)
        return None
    return batch


def _place(batch: Batch, plan: Plan, services: Services) -> None:
    """Let the import machine place the files; without any the import is over."""
    if not plan.files:
        services.imports.close(batch, ImportState.DONE)
        return
    staged = services.staged_files
    manifest = staged.manifest_key(batch.tenant, batch.import_id)
    try:
        staged.put_manifest(batch.tenant, batch.import_id, plan.files)
        services.machines.start_import(batch, manifest=manifest, tolerated=100)
    except StoreUnavailableError:
        services.imports.close(batch, ImportState.STOPPED)
        raise


def _give_up(sync: Sync, gone: Collection[str], known: Known, services: Services) -> tuple[int, int]:
    """Take away documents whose object is gone; return how many are left for the next pass, and how many went.

    What somebody else put in a document's place stays. What was intended and never came expires.
    """
    now = sorted(gone)[:MOST_DELETIONS]
    names = {} if sync.removal == "keep" else _names(sync.tenant, now, known, services)
    left, removed = len(gone), 0
    for document in now:
        if sync.removal != "keep":
            if name := names.get(document):
                removed += services.synced_objects.withdraw(sync.tenant, name, sync.id)
            elif document not in known:
                continue
        services.syncs.release(sync, document)
        left -= 1
    return left, removed


def _names(tenant: Tenant, documents: Collection[str], known: Known, services: Services) -> dict[str, str]:
    """Return what the documents' objects are called.

    A tombstone has no name, and neither has what no event has told of; either may have an object, which has one.
    """
    names = {each: row.newest.name for each in documents if (row := known.get(each)) and row.newest.name}
    if len(names) < len(documents):
        found = {document_id(tenant, each.name): each.name for each in services.sources.current(tenant)}
        names.update((each, found[each]) for each in documents if each in found)
    return names


def _known(sync: Sync, brought: Container[str], services: Services) -> Known:
    """Return what is known of the documents that the sync brought; one query reads them for less than one by one."""
    found = services.documents.known(sync.tenant) if brought else ()
    return {each.newest.document_id: each for each in found if each.newest.document_id in brought}


def _unreadable(plan: Plan, known: Known) -> tuple[str, ...]:
    refused = {each for each, row in known.items() if row.state is DocumentState.REFUSED}
    return tuple(islice((each for each in plan.unchanged if each in refused), _SHOWN))
