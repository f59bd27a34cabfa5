"""sync_documents: compare the bucket with the documents' rows, and start what an event should have started."""

from typing import Any

from plinth.access.log_lines import logger_of
from plinth.runtime.syncing import sync_tenant
from plinth.wiring import Services

_services = Services()


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Sync every tenant once; a line in the log says what had been lost."""
    started = {"ingest": 0, "erase": 0}
    for tenant in _services.tenant_list.all():
        for kind, count in sync_tenant(tenant, _services).items():
            started[kind] += count
    if any(started.values()):
        logger_of("SyncDocuments").warning(
            "started what no event had told of", ingest=started["ingest"], erase=started["erase"]
        )
    return started
