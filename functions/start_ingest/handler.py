"""start_ingest: start the machine that fits each event of the documents bucket."""

from typing import Any

from plinth.runtime.bucket_events import start_machines
from plinth.wiring import Services

_services = Services()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Start a machine per message of an SQS batch; the messages that failed are returned to the queue alone."""
    return start_machines(event, _services)
