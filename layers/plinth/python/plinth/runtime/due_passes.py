"""Which passes of syncs one call of the function makes: those that are due, longest waiting first, or one by name."""

from collections.abc import Callable, Mapping

import msgspec

from plinth.access.log_lines import logger_of
from plinth.contracts.syncs import Permission, Sync
from plinth.errors import PlinthError
from plinth.memory.prefix_sync import is_due, tenant_of
from plinth.runtime.prefix_sync import make_pass
from plinth.runtime.synced_files import standing
from plinth.wiring import Services

_A_PASS_MS = 300_000
"""What a pass may take: with less left of the function's time, the next call of the schedule makes it."""


def make_due_passes(services: Services, *, time_left: Callable[[], int]) -> dict[str, int]:
    """Make the passes that are due, as far as the time reaches; return how many documents were placed and removed."""
    now = services.clock.now()
    syncs = [each for tenant in services.tenant_list.all() for each in services.syncs.of(tenant)]
    told = {"placed": 0, "removed": 0}
    for sync in sorted((each for each in syncs if is_due(each, now=now)), key=lambda each: each.due_at):
        if time_left() < _A_PASS_MS:
            break
        for kind, count in _made(sync, services).items():
            told[kind] += count
    return told


def make_asked_pass(event: Mapping[str, object], services: Services) -> dict[str, int]:
    """Make the pass that the event names, which may make the deletions that it permits.

    The call may come twice, and late: a sync that is gone by then has no pass.
    """
    name = str(event["sync"])
    tenant = tenant_of(name)
    sync = standing(tenant, name, services) if tenant else None
    return _made(sync, services, msgspec.convert(event.get("permission"), Permission | None)) if sync else {}


def _made(sync: Sync, services: Services, permission: Permission | None = None) -> dict[str, int]:
    """Make the pass; one that fails is told in the log and stays due, and the others go on."""
    log = logger_of("SyncDocuments")
    try:
        last = make_pass(sync, services, permission=permission)
    except PlinthError as error:
        log.warning("a pass failed", sync=sync.id, error=type(error).__name__)
        return {}
    if last is None:
        return {}
    if last.problem or last.held_back:
        log.warning("a pass needs somebody", sync=sync.id, held_back=last.held_back, unreadable=bool(last.problem))
    return {"placed": last.added + last.changed, "removed": last.removed}
