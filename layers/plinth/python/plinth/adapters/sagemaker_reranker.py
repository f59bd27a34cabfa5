"""How a cross-encoder ranks passages again, on an endpoint of Text Embeddings Inference (not verified on AWS)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from plinth.adapters.aws_calls import error_code
from plinth.errors import MemoryUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# One attempt: without an answer the passages stay in the order in which they were found.
RERANK_CALLS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


class _Ranked(msgspec.Struct):
    index: int
    score: float


class SageMakerReranker:
    """`Reranker` over one endpoint, in the words of TEI's `/rerank`, which `/invocations` leads to for such a model."""

    def __init__(self, endpoint: str, *, client: "SageMakerRuntimeClient") -> None:
        self._endpoint = endpoint
        self._client = client

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text, in order; what is beyond the model's window has no effect."""
        body = msgspec.json.encode({"query": question, "texts": texts, "truncate": True, "raw_scores": True})
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._endpoint, ContentType="application/json", Accept="application/json", Body=body
            )
            ranked = msgspec.json.decode(answer["Body"].read(), type=list[_Ranked])
        except ClientError as error:
            raise MemoryUnavailableError(f"the rerank endpoint answered {error_code(error)}") from error
        except (BotoCoreError, HTTPError, msgspec.DecodeError) as error:
            raise MemoryUnavailableError(f"the rerank endpoint did not answer: {type(error).__name__}") from error
        by_index = {each.index: each.score for each in ranked}
        if set(by_index) != set(range(len(texts))):
            raise MemoryUnavailableError(f"the rerank endpoint ranked {len(by_index)} of {len(texts)} texts")
        return [by_index[number] for number in range(len(texts))]
