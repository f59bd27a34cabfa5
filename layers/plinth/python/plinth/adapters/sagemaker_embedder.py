"""How texts become vectors on a SageMaker endpoint of Text Embeddings Inference (not verified on AWS).

The endpoint must always run: a question waits for its vector, and never for an instance that starts.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from plinth.adapters.aws_calls import ENDPOINT_BUSY_CODES, error_code
from plinth.errors import MemoryUnavailableError, PlinthError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# Two attempts of at most 12 s stay inside RetrieveContext's 30 s.
EMBEDDING_CALLS = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
BATCH = 32
"""Texts of one request: TEI's default of `--max-client-batch-size`."""


class SageMakerEmbedder:
    """`Embedder` over one endpoint. `model_id` is what its operator says that it serves: no answer names the model."""

    def __init__(self, endpoint: str, *, model_id: str, client: "SageMakerRuntimeClient") -> None:
        self.model_id = model_id
        self._endpoint = endpoint
        self._client = client

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector per text, in order; what is beyond the model's window has no effect.

        Raises `MemoryUnavailableError` where a later try may succeed.
        """
        return [
            vector
            for start in range(0, len(texts), BATCH)
            for vector in self._vectors([text or " " for text in texts[start : start + BATCH]])
        ]

    def _vectors(self, texts: Sequence[str]) -> list[list[float]]:
        body = msgspec.json.encode({"inputs": texts, "normalize": True, "truncate": True})
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._endpoint, ContentType="application/json", Accept="application/json", Body=body
            )
            vectors = msgspec.json.decode(answer["Body"].read(), type=list[list[float]])
        except ClientError as error:
            raise _refusal(error) from error
        except (BotoCoreError, HTTPError, msgspec.DecodeError) as error:
            raise MemoryUnavailableError(f"the embedding endpoint did not answer: {type(error).__name__}") from error
        if len(vectors) != len(texts):
            raise MemoryUnavailableError(f"the embedding endpoint gave {len(vectors)} vectors for {len(texts)} texts")
        return vectors


def _refusal(error: ClientError) -> PlinthError:
    code = error_code(error)
    original = error.response.get("OriginalStatusCode")
    own = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    status = original if isinstance(original, int) else own
    if code in ENDPOINT_BUSY_CODES or status == 429 or status >= 500:
        return MemoryUnavailableError(f"the embedding endpoint answered {code} with status {status}: try again later")
    return PlinthError(f"the embedding endpoint refuses the call: {code} with status {status}; it must exist and run")
