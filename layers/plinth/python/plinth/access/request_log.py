"""The one line that each request logs: who, what, how long, how it went. Never a body, a header or a query."""

import hashlib
import traceback

from plinth.access.authentication import Caller
from plinth.access.log_lines import logger_of


def log_request(service: str, *, caller: Caller | None, **fields: str | int | float | None) -> None:
    """Log one JSON line with the tenant hashed."""
    tenant = hashlib.sha256(caller.tenant.id.encode()).hexdigest()[:12] if caller else None
    logger_of(service).info("request answered", extra={"tenant_sha256": tenant, **fields})


def log_failure(service: str, error: BaseException, *, request_id: str) -> None:
    """Log the class of an unforeseen error and the lines it passed; not its text, which may quote content."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    fields = {"error": type(error).__name__, "frames": frames[-12:], "request_id": request_id}
    logger_of(service).error("request failed", extra=fields)
