"""How an export goes through the stores: a page at a time, so that it can stop anywhere and go on."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import msgspec

from plinth.contracts.exporting import (
    EXPORT_DAYS,
    Export,
    ExportedFile,
    ExportedPage,
    ExportJob,
    ExportState,
    Subject,
)
from plinth.errors import ErasureUnderWayError, NotFoundError
from plinth.memory.exports import MANIFEST, as_it_stands, lines_of, lines_path, manifest_of
from plinth.memory.stores import STORES
from plinth.wiring import Services

SECONDS = 20.0
"""Of one call of the step, which ends with the page that it works on then."""


def begin_export(subject: Subject, services: Services) -> Export:
    """Write the export down and start its machine; one of the same subject that runs already is returned."""
    require_no_erasure(subject, services)
    now = services.clock.now()
    jobs = services.exporting.jobs
    known = (as_it_stands(each, now=now) for each in jobs.of(subject.tenant) if each.subject == subject)
    export = next((each for each in known if each.state is ExportState.RUNNING), None)
    if export is None:
        expires_at = int(now) + EXPORT_DAYS * 86_400
        export = Export(
            id=f"exp_{uuid4().hex}", subject=subject, state=ExportState.RUNNING, began_at=now, expires_at=expires_at
        )
        jobs.begin(export)
    services.machines.start_export(ExportJob(id=export.id, tenant=subject.tenant))
    return export


def require_no_erasure(subject: Subject, services: Services) -> None:
    """Raise `ErasureUnderWayError` while a user is being erased: the tenant's exports go with them."""
    if services.tenants.standing(subject.tenant).erasing_users:
        raise ErasureUnderWayError("a user is being erased, and exports go with them: ask again when that is done")


def collect(job: ExportJob, services: Services) -> bool:
    """Write pages for some seconds; return whether the export is over, or was erased meanwhile."""
    export = _current(job, services)
    if export is None:
        return True
    began, stores = services.clock.now(), services.exporting.stores
    while export.store < len(stores):
        if services.clock.now() > began + SECONDS:
            return False
        store = stores[export.store]
        moved = _written(export, store.export(export.subject, export.after), services)
        if moved is None:  # its row went between the write of a page and the note of it
            services.exporting.files.remove(export)
            return True
        export = moved
    _close(export, services)
    return True


def _current(job: ExportJob, services: Services) -> Export | None:
    """Return the export while there is something to do for it."""
    with suppress(NotFoundError):
        export = services.exporting.jobs.get(job.tenant, job.id)
        return export if export.state is ExportState.RUNNING else None
    return None


def _written(export: Export, page: ExportedPage, services: Services) -> Export | None:
    """Write a page's files, then how far the export is: a page that is repeated writes the same files anew."""
    bodies = {lines_path(folder, export.turn): (lines_of(each), len(each)) for folder, each in page.records.items()}
    bodies |= {path: (body, 0) for path, body in page.originals.items()}
    written: list[ExportedFile] = []
    for path, (body, records) in bodies.items():
        services.exporting.files.put(export, path, body)
        digest = hashlib.sha256(body).hexdigest()
        name = page.names.get(path, "")
        written.append(ExportedFile(path=path, size_bytes=len(body), sha256=digest, records=records, name=name))
    if written:
        services.exporting.files.note(export, written)
    records_so_far = dict(export.records)
    for folder, found in page.records.items():
        records_so_far[folder] = records_so_far.get(folder, 0) + len(found)
    return services.exporting.jobs.advance(
        replace(
            export,
            store=export.store + (page.after is None),
            after=page.after,
            files=export.files + len(written),
            records=records_so_far,
        )
    )


def _close(export: Export, services: Services) -> None:
    ended = replace(export, state=ExportState.DONE, ended_at=services.clock.now(), files=export.files + 1)
    files = services.exporting.files
    manifest = manifest_of(ended, files.noted(export), STORES)
    files.put(export, MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    if services.exporting.jobs.advance(ended) is None:
        files.remove(export)


def fail(job: ExportJob, services: Services) -> bool:
    """Note that the export stopped; return whether it did, and was not done or erased."""
    export = _current(job, services)
    if export is None:
        return False
    return services.exporting.jobs.advance(replace(export, state=ExportState.FAILED)) is not None
