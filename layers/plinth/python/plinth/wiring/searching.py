"""What searches: the models that turn texts into vectors and rank passages again, and the index of passages."""

from plinth.ports.documents import Memory
from plinth.ports.models import Embedder, Reranker, TokenCounter
from plinth.settings import Settings


def make_embedder(settings: Settings) -> Embedder:
    """Return the embedding model: on its endpoint where the environment has one, else in this process."""
    endpoint = settings.embedding_endpoint
    if endpoint is None:
        from plinth.adapters.onnx_embedder import OnnxEmbedder

        return OnnxEmbedder(settings.embedding_dir)
    import boto3

    from plinth.adapters.sagemaker_embedder import EMBEDDING_CALLS, SageMakerEmbedder

    client = boto3.client("sagemaker-runtime", config=EMBEDDING_CALLS)
    return SageMakerEmbedder(endpoint, model_id=settings.embedding_model, client=client)


def make_token_counter(settings: Settings) -> TokenCounter:
    """Return the counter of the model in this process. For one on an endpoint its counts are near, not exact."""
    from plinth.adapters.word_pieces import WordPieceCounter

    return WordPieceCounter(settings.embedding_dir)


def make_reranker(settings: Settings) -> Reranker:
    """Return the cross-encoder on its endpoint."""
    import boto3

    from plinth.adapters.sagemaker_reranker import RERANK_CALLS, SageMakerReranker

    return SageMakerReranker(settings.rerank_endpoint, client=boto3.client("sagemaker-runtime", config=RERANK_CALLS))


def make_memory(settings: Settings) -> Memory:
    """Return the index of passages under the mapping that this code knows."""
    from plinth.adapters.opensearch_memory import OpenSearchMemory, connect
    from plinth.adapters.opensearch_requests import versioned

    auth = settings.opensearch_auth
    return OpenSearchMemory(
        client=connect(settings.opensearch_url, auth=auth),
        index=versioned(settings.search_index),
        dimension=settings.vector_dimension,
        natural_ids=auth != "aoss",
    )
