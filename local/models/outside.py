"""Where the stand-in of an asynchronous endpoint puts answers and messages: the embedded cloud, as its stack says."""

import importlib
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

from local.models.async_inference import Ends

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client


class _Topics(Protocol):
    def publish(self, *, TopicArn: str, Message: str) -> object: ...  # noqa: N803 - boto3's names


class EmbeddedCloud:
    """`Outside` at a URL. The outputs of a deployed stack stand for the endpoint's configuration."""

    def __init__(self, url: str, *, region: str, stack: str) -> None:
        self._url = url
        self._region = region
        self._stack = stack

    def ends(self) -> Ends | None:
        """Return the bucket's folder and the topics, as the stack has them now."""
        stacks = cast("CloudFormationClient", self._client("cloudformation")).describe_stacks()["Stacks"]
        deployed = next((each for each in stacks if each["StackName"] == self._stack), None)
        if deployed is None:
            return None
        outputs = {each.get("OutputKey"): each.get("OutputValue", "") for each in deployed.get("Outputs", [])}
        return Ends(
            location=outputs["InferencesLocation"],
            success_topic=outputs["SuccessTopicArn"],
            error_topic=outputs["ErrorTopicArn"],
        )

    def read(self, uri: str) -> bytes:
        """Return an object."""
        bucket, key = _split(uri)
        return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def write(self, uri: str, body: bytes, *, content_type: str) -> None:
        """Store an object."""
        bucket, key = _split(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    def publish(self, topic: str, message: str) -> None:
        """Publish a message."""
        cast("_Topics", self._client("sns")).publish(TopicArn=topic, Message=message)

    @cached_property
    def _s3(self) -> "S3Client":
        return cast("S3Client", self._client("s3"))

    def _client(self, service: str) -> object:
        return importlib.import_module("boto3").client(
            service,
            endpoint_url=self._url,
            region_name=self._region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the embedded cloud takes any
            config=importlib.import_module("botocore.config").Config(proxies={}, s3={"addressing_style": "path"}),
        )


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
