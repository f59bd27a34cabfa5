"""How an inference is queued at an asynchronous SageMaker endpoint (not verified on AWS)."""

from functools import partial
from typing import TYPE_CHECKING

from botocore.config import Config

from plinth.adapters.aws_calls import CALLS, store_errors
from plinth.contracts.tenant import Tenant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# One attempt, because each may be billed, and the machine counts them.
QUEUE_CALLS = CALLS.merge(Config(retries={"total_max_attempts": 1}))

INLINE_BYTES = 128_000
"""The longest body that the call itself carries (InvokeEndpointAsync, API reference, read 2026-11)."""

QUEUED_SECONDS = 1800
"""How long a request may wait: an endpoint at zero instances takes about ten minutes to wake."""

WORK_SECONDS = 1800
"""How long the container may work on it; SageMaker allows an hour. The machine waits for both together."""


class SageMakerInferences:
    """`Inferences` at one endpoint; a long request lies in the work bucket, which the endpoint's role may read."""

    def __init__(self, endpoint: str, *, client: "SageMakerRuntimeClient", s3: "S3Client", bucket: str) -> None:
        self._endpoint = endpoint
        self._client = client
        self._s3 = s3
        self._bucket = bucket

    def start(self, inference_id: str, tenant: Tenant, body: bytes) -> None:
        """Queue the request; to queue it twice under one id costs work but tells the machine nothing new."""
        queue = partial(
            self._client.invoke_endpoint_async,
            EndpointName=self._endpoint,
            InferenceId=inference_id,
            ContentType="application/json",
            Accept="application/json",
            RequestTTLSeconds=QUEUED_SECONDS,
            InvocationTimeoutSeconds=WORK_SECONDS,
        )
        if len(body) > INLINE_BYTES:
            queue = partial(queue, InputLocation=self._stored(f"{tenant.id}/inferences/{inference_id}.json", body))
        else:
            queue = partial(queue, Body=body)
        with store_errors("SageMaker"):
            queue()

    def _stored(self, key: str, body: bytes) -> str:
        with store_errors("S3"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        return f"s3://{self._bucket}/{key}"
