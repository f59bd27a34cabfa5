"""The one structured line that each step logs: who, what, how long, how it went. Never content."""

import hashlib
from typing import Any

from plinth.access.log_lines import logger_of
from plinth.contracts.events import StepEnded


def log_step(ended: StepEnded, *, event: dict[str, Any], request_id: str) -> None:
    """Log one JSON line under the step's name. The tenant is hashed; question, passages and text are left out."""
    owner: dict[str, Any] = event.get("run") or event.get("document") or {}
    tenant = str(owner.get("tenant", ""))
    logger_of(ended.step).info(
        "step ended",
        outcome=ended.outcome,
        duration_ms=ended.duration_ms,
        cold=ended.cold,
        retry=ended.retry or None,
        run_id=owner.get("id"),
        document_id=owner.get("document_id"),
        tenant_sha256=hashlib.sha256(tenant.encode()).hexdigest()[:12],
        request_id=request_id,
    )
