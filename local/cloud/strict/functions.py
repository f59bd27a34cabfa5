"""Which limits of Lambda are imposed on functions of the embedded cloud."""

import json
from types import ModuleType
from typing import Any

from local.cloud import ministack
from local.cloud.strict.chances import Fate

# "Lambda quotas", invocation payload, synchronous, request and response each: 6 MB (AWS guide, read 2026-11).
PAYLOAD_BYTES = 6 * 1024 * 1024


def apply(fate: Fate) -> None:
    """Impose every rule of this module."""
    service = ministack.module("services.lambda_svc")
    concurrency(service, fate)
    request_size(service)
    response_size(service)


def concurrency(service: ModuleType, fate: Fate) -> None:
    """Throttle what would run beside `concurrency` others, with TooManyRequestsException.

    "Lambda quotas", concurrent executions: 1,000 per account and region, and fewer in a new account (AWS guide, read
    2026-11).
    """
    ministack.require(service, "_ACCOUNT_CONCURRENCY_CAP", "_throttle_response")
    acquire = service._acquire_execution_slot

    def acquire_if_free(func: dict[str, Any], config: dict[str, Any]) -> object:
        if fate.chances.concurrency == 0:
            return None, "account"
        service.__dict__["_ACCOUNT_CONCURRENCY_CAP"] = fate.chances.concurrency
        return acquire(func, config)

    ministack.replace(service, "_acquire_execution_slot", acquire_if_free)


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
