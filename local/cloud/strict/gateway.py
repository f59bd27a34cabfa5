"""Which limits of API Gateway are imposed on REST APIs of the embedded cloud."""

import asyncio
import json
from typing import Any

from local.cloud import ministack

# "Amazon API Gateway quotas": payload size 10 MB, integration timeout 29 s by default (AWS guide, read 2026-11).
BODY_BYTES = 10 * 1024 * 1024
INTEGRATION_SECONDS = 29.0

Response = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Impose every rule of this module."""
    limit(ministack.module("services.apigateway_v1"), integration_seconds=INTEGRATION_SECONDS)


def limit(gateway: Any, *, integration_seconds: float) -> None:  # noqa: ANN401 - a module of ministack
    """Answer 413 to a body over 10 MB, and 504 when the integration takes longer than it may; it goes on unheard.

    Bodies and messages as in "Gateway response types" (REQUEST_TOO_LARGE, INTEGRATION_TIMEOUT).
    """
    execute = gateway.handle_execute

    async def execute_within_limits(*request: object) -> Response:
        body = request[5]
        if isinstance(body, bytes) and len(body) > BODY_BYTES:
            return _refusal(413, "Request Entity Too Large")
        running = asyncio.ensure_future(execute(*request))
        done, _ = await asyncio.wait({running}, timeout=integration_seconds)
        return running.result() if done else _refusal(504, "Endpoint request timed out")

    ministack.replace(gateway, "handle_execute", execute_within_limits)


def _refusal(status: int, message: str) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()
