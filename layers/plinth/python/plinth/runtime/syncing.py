"""How a tenant's documents are brought in line with its objects: rows first, then the bucket, then machines."""

from collections import Counter
from itertools import islice

from plinth.contracts.tenant import Tenant
from plinth.memory.syncing import repairs
from plinth.wiring import Services

MOST_AT_ONCE = 500
"""Machines that one sync of a tenant starts; the next one starts more."""


def sync_tenant(tenant: Tenant, services: Services) -> Counter[str]:
    """Start what is missing and return how much of each kind; started again, the same repair has the same name."""
    known = {each.newest.document_id: each for each in services.documents.known(tenant)}
    now = services.clock.now()
    settled = now - services.settings.sync_settle_seconds
    found = repairs(tenant, known, services.sources.current(tenant), settled=settled, now=now)
    started: Counter[str] = Counter()
    for repair in islice(found, MOST_AT_ONCE):
        if repair.kind == "ingest":
            services.machines.start_ingest(repair.document)
        else:
            services.machines.start_erase(repair.document)
        started[repair.kind] += 1
    return started
