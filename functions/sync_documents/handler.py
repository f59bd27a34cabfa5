"""sync_documents: compare the bucket with the documents' rows, and other buckets with what came of them."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from plinth.access.log_lines import logger_of
from plinth.runtime.due_passes import make_asked_pass, make_due_passes
from plinth.runtime.syncing import sync_tenant
from plinth.wiring import Services

_services = Services()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Sync every tenant once and make the passes that are due; or make the one pass that somebody asks for."""
    if "sync" in event:
        return make_asked_pass(event, _services)
    started = {"ingest": 0, "erase": 0}
    for tenant in _services.tenant_list.all():
        for kind, count in sync_tenant(tenant, _services).items():
            started[kind] += count
    if any(started.values()):
        logger_of("SyncDocuments").warning(
            "started what no event had told of", ingest=started["ingest"], erase=started["erase"]
        )
    return {**started, **make_due_passes(_services, time_left=context.get_remaining_time_in_millis)}
