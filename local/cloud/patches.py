"""Which faults of ministack are mended, each by one function that names the fault; all were seen in 1.5.33."""

from collections.abc import Callable
from typing import Any, cast

from local.cloud import executions, jsonata_states, layers, ministack, rights, starts
from local.cloud.runtime import WorkerSettings
from local.cloud.workers import FailureText, worker_factory


def apply(settings: WorkerSettings) -> None:
    """Mend every fault; raises MinistackChangedError if ministack is not the release that was tried."""
    ministack.require_version()
    own_workers(settings)
    starts.few_at_a_time()
    named_errors()
    named_throttles()
    gateway_tells_no_reason()
    dynamodb_time_to_live()
    transactions_told_twice()
    reserved_concurrency()
    delete_markers_over_nothing()
    layers.keep_in_files()
    jsonata_states.apply()
    executions.apply()
    rights.apply()


def own_workers(settings: WorkerSettings) -> None:
    """Run Python functions in our workers; ministack's inherit the host's environment and packages and copy layers."""
    runtime = ministack.module("core.lambda_runtime")
    ministack.require(runtime, "execution_credentials", "_RESERVED_RUNTIME_ENV_VARS", "_worker_class_for")
    ministack.replace(runtime, "_worker_class_for", worker_factory(settings, runtime._worker_class_for))


def named_errors() -> None:
    """Report the class of an exception; all are called Runtime.HandlerError, so no Retry or Catch matches by name."""
    functions = ministack.module("services.lambda_svc")
    ministack.require(functions, "_execute_function_warm", "_resolve_layer_zip")
    execute = functions._execute_function_warm

    def execute_and_name(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event, request_id)
        message = result["body"].get("errorMessage") if result.get("error") else None
        return {**result, "body": dict(message.payload)} if isinstance(message, FailureText) else result

    ministack.replace(functions, "_execute_function_warm", execute_and_name)


def named_throttles() -> None:
    """Name a throttled task Lambda.TooManyRequestsException as AWS does; it fails as Lambda.Unknown."""
    functions = ministack.module("services.lambda_svc")
    ministack.require(functions, "_throttle_response")
    throttle = functions._throttle_response

    def throttle_by_name(*args: object, **options: object) -> dict[str, Any]:
        result = throttle(*args, **options)
        return {**result, "body": {**result["body"], "errorType": "Lambda.TooManyRequestsException"}}

    ministack.replace(functions, "_throttle_response", throttle_by_name)


def gateway_tells_no_reason() -> None:
    """Answer 502 "Internal server error" when a function raises; the error with its trace goes to the client."""
    gateway = ministack.module("services.apigateway_v1")
    ministack.require(gateway, "_lambda_proxy_response")
    shape = gateway._lambda_proxy_response

    def shape_silently(result: dict[str, Any]) -> tuple[object, str | None]:
        response, error = shape(result)
        return response, "Internal server error" if error else None

    ministack.replace(gateway, "_lambda_proxy_response", shape_silently)


def dynamodb_time_to_live() -> None:
    """Apply the TimeToLiveSpecification of a CloudFormation table, which is ignored."""
    update_ttl = ministack.module("services.dynamodb")._update_ttl

    def apply_ttl(table: str, properties: dict[str, Any]) -> None:
        wanted = properties.get("TimeToLiveSpecification")
        if wanted:
            specification = {**wanted, "Enabled": str(wanted.get("Enabled")).lower() == "true"}
            update_ttl({"TableName": table, "TimeToLiveSpecification": specification})

    for kind in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        _after_provisioning(kind, apply_ttl)


def transactions_told_twice() -> None:
    """Know a transaction again by its token; one that puts 1.0 is refused as another, because it was kept as 1."""
    service = ministack.module("services.dynamodb")
    ministack.require(service, "_transact_write_items", "_ddb_canonicalize_number")
    transact = service._transact_write_items

    def canonical(value: object) -> object:
        match value:
            case {"N": str(number)}:
                return {"N": service._ddb_canonicalize_number(number) or number}
            case dict():
                members = cast("dict[str, object]", value)
                return {name: canonical(member) for name, member in members.items()}
            case list():
                return [canonical(member) for member in cast("list[object]", value)]
            case _:
                return value

    def transact_canonically(data: object) -> object:
        return transact(canonical(data))

    ministack.replace(service, "_transact_write_items", transact_canonically)


def reserved_concurrency() -> None:
    """Apply the ReservedConcurrentExecutions of a CloudFormation function, which is ignored."""
    put_concurrency = ministack.module("services.lambda_svc")._put_function_concurrency

    def apply_limit(function: str, properties: dict[str, Any]) -> None:
        wanted = properties.get("ReservedConcurrentExecutions")
        if wanted is not None:
            put_concurrency(function, {"ReservedConcurrentExecutions": int(wanted)})

    _after_provisioning("AWS::Lambda::Function", apply_limit)


def delete_markers_over_nothing() -> None:
    """Announce a delete marker over an absent key as one over an object; nobody hears of it.

    S3 user guide, "Using EventBridge": "Delete Marker Created" has no exception (read 2026-11, not tried on AWS).
    """
    buckets = ministack.module("services.s3")
    ministack.require(buckets, "_record_delete_marker", "_fire_s3_event_async")
    record = buckets._record_delete_marker

    def record_and_announce(bucket: str, key: str, prior: dict[str, Any] | None) -> str:
        marker: str = record(bucket, key, prior)
        if prior is None:
            buckets._fire_s3_event_async(
                bucket,
                key,
                "s3:ObjectRemoved:DeleteMarkerCreated",
                deletion_type="Delete Marker Created",
                version_id=marker,
            )
        return marker

    ministack.replace(buckets, "_record_delete_marker", record_and_announce)


def _after_provisioning(kind: str, act: Callable[[str, dict[str, Any]], None]) -> None:
    """Call `act` with the name and the properties of each resource of a kind that was created or updated."""
    handler = ministack.module("services.cloudformation.provisioners")._RESOURCE_HANDLERS[kind]

    def acting(provision: Callable[..., Any], properties_at: int) -> Callable[..., Any]:
        def provision_and_act(*args: dict[str, Any], **options: object) -> tuple[str, dict[str, Any]]:
            outcome: tuple[str, dict[str, Any]] = provision(*args, **options)
            act(outcome[0], args[properties_at])
            return outcome

        return provision_and_act

    handler["create"] = acting(handler["create"], 1)
    handler["update"] = acting(handler["update"], 2)
