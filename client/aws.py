"""How the AWS APIs of an environment are reached: with the caller's own credentials, or on the laptop's loopback."""

import importlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


class LogsClient(Protocol):
    """The one call of CloudWatch Logs that is used; paging is by `nextToken`."""

    def filter_log_events(self, **request: object) -> Mapping[str, Any]:
        """Return {"events": [{"timestamp" (Unix ms), "message", "logStreamName"}], "nextToken"?}."""
        ...

    def describe_log_groups(self, **request: object) -> Mapping[str, Any]:
        """Return {"logGroups": [{"logGroupName"}], "nextToken"?}."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """Clients of one account. `local_url` stands for the embedded cloud, which takes any credentials but gets none."""

    local_url: str | None = None
    region: str | None = None

    def cloudformation(self) -> "CloudFormationClient":
        """Return a client for stacks."""
        return cast("CloudFormationClient", self._client("cloudformation"))

    def dynamodb(self) -> "DynamoDBClient":
        """Return a client for tables."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    def s3(self) -> "S3Client":
        """Return a client for buckets."""
        return cast("S3Client", self._client("s3"))

    def kms(self) -> "KMSClient":
        """Return a client for keys."""
        return cast("KMSClient", self._client("kms"))

    def step_functions(self) -> "SFNClient":
        """Return a client for state machines."""
        return cast("SFNClient", self._client("stepfunctions"))

    def logs(self) -> LogsClient:
        """Return a client for log groups."""
        return cast("LogsClient", self._client("logs"))

    def secrets(self) -> "SecretsManagerClient":
        """Return a client for secrets."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    def _client(self, service: str) -> object:
        boto3 = importlib.import_module("boto3")
        if self.local_url is None:
            return boto3.client(service, region_name=self.region or os.environ.get("AWS_REGION"))
        config = importlib.import_module("botocore.config").Config(
            retries={"total_max_attempts": 3}, s3={"addressing_style": "path"}, proxies={}
        )
        return boto3.client(
            service,
            endpoint_url=self.local_url,
            region_name=self.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the embedded cloud takes any
            config=config,
        )


def stack_outputs(cloudformation: "CloudFormationClient", environment: str) -> dict[str, str]:
    """Return all outputs of the environment's stacks (`plinth-<environment>-*`), by name."""
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    stacks = (stack for page in pages for stack in page["Stacks"])
    return merged(
        {each.get("OutputKey", ""): each.get("OutputValue", "") for each in stack.get("Outputs", [])}
        for stack in stacks
        if stack["StackName"].startswith(f"plinth-{environment}-")
    )


def merged(outputs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the outputs of several stacks as one: their names differ between stacks."""
    return {name: value for each in outputs for name, value in each.items()}
