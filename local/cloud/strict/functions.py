"""Which limits of Lambda are imposed on functions of the embedded cloud."""

import json
from types import ModuleType
from typing import Any

from local.cloud import ministack

# "Lambda quotas", invocation payload, synchronous, request and response each: 6 MB (AWS guide, read 2026-11).
PAYLOAD_BYTES = 6 * 1024 * 1024


def apply() -> None:
    """Impose every rule of this module."""
    service = ministack.module("services.lambda_svc")
    request_size(service)
    response_size(service)


def request_size(service: ModuleType) -> None:
    """Refuse a synchronous Invoke of more than 6 MB, with RequestTooLargeException (Lambda API, Invoke, errors)."""
    handle = service.handle_request
    too_large = service.error_response_json(
        "RequestTooLargeException", f"Request must be smaller than {PAYLOAD_BYTES} bytes for the Invoke operation", 413
    )

    async def handle_if_small(method: str, path: str, headers: object, body: bytes, query: object) -> object:
        if path.endswith("/invocations") and len(body or b"") > PAYLOAD_BYTES:
            return too_large
        return await handle(method, path, headers, body, query)

    ministack.replace(service, "handle_request", handle_if_small)


def response_size(service: ModuleType) -> None:
    """Fail a function that answers more than 6 MB, with Function.ResponseSizeTooLarge as the AWS runtime does."""
    execute = service._execute_function_warm

    def execute_if_small(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event, request_id)
        size = len(json.dumps(result.get("body")))
        if size <= PAYLOAD_BYTES:
            return result
        message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes)."
        body = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        return {**result, "body": body, "error": True}

    ministack.replace(service, "_execute_function_warm", execute_if_small)
