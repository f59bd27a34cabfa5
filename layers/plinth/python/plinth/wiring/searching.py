"""What searches: the models that turn texts into vectors and rank passages again, and the indexes of passages."""

from plinth.contracts.indexes import IN_PROCESS, SearchModel
from plinth.errors import PlinthError
from plinth.memory.index_names import IndexName, index_name
from plinth.ports.documents import Memory
from plinth.ports.models import Embedder, Reranker, TokenCounter
from plinth.settings import Settings


def own_model(settings: Settings) -> SearchModel:
    """Return the model whose vectors new indexes hold: on its endpoint where there is one, else in this process."""
    endpoint = settings.embedding_endpoint
    return SearchModel(
        index=settings.search_index,
        dimension=settings.vector_dimension,
        endpoint=endpoint,
        model=settings.embedding_model if endpoint else "",
    )


def search_model(index: str, settings: Settings) -> SearchModel:
    """Return the model whose vectors the index holds; raise `PlinthError` where the environment has it no more."""
    known = (own_model(settings), *settings.earlier_models, IN_PROCESS)
    wanted = index_name(index).model
    found = next((each for each in known if each.index == wanted), None)
    if found is None:
        raise PlinthError(f"no model for {index}: keep it in `earlier_embeddings` until `plinth reindex` is done")
    return found


def make_embedder(model: SearchModel, settings: Settings) -> Embedder:
    """Return the model on its endpoint, or in this process."""
    if model.endpoint is None:
        from plinth.adapters.onnx_embedder import OnnxEmbedder

        return OnnxEmbedder(settings.embedding_dir)
    import boto3

    from plinth.adapters.sagemaker_embedder import EMBEDDING_CALLS, SageMakerEmbedder

    client = boto3.client("sagemaker-runtime", config=EMBEDDING_CALLS)
    return SageMakerEmbedder(model.endpoint, model_id=model.model, client=client)


def make_token_counter(settings: Settings) -> TokenCounter:
    """Return the counter of the model in this process. For one on an endpoint its counts are near, not exact."""
    from plinth.adapters.word_pieces import WordPieceCounter

    return WordPieceCounter(settings.embedding_dir)


def make_reranker(settings: Settings) -> Reranker:
    """Return the cross-encoder on its endpoint."""
    import boto3

    from plinth.adapters.sagemaker_reranker import RERANK_CALLS, SageMakerReranker

    return SageMakerReranker(settings.rerank_endpoint, client=boto3.client("sagemaker-runtime", config=RERANK_CALLS))


def newest_index(settings: Settings) -> IndexName:
    """Return where the first passages of an environment go: the index of its model, under the mapping of this code."""
    from plinth.adapters.opensearch_requests import MAPPING_VERSION

    return IndexName(model=settings.search_index, mapping=MAPPING_VERSION)


class OpenSearchMemories:
    """`Memories` of one search engine; each index is made and written as the mapping in its name says."""

    def __init__(self, settings: Settings) -> None:
        from plinth.adapters.opensearch_memory import connect

        self._settings = settings
        self._client = connect(settings.opensearch_url, auth=settings.opensearch_auth)
        self._made: dict[str, Memory] = {}

    def named(self, index: str) -> Memory:
        """Return the memory in this index, the same one each time."""
        if index not in self._made:
            self._made[index] = self._make(index)
        return self._made[index]

    def _make(self, index: str) -> Memory:
        from plinth.adapters.opensearch_memory import OpenSearchMemory
        from plinth.adapters.opensearch_requests import IndexShape

        return OpenSearchMemory(
            client=self._client,
            index=index,
            dimension=search_model(index, self._settings).dimension,
            natural_ids=self._settings.opensearch_auth != "aoss",
            shape=IndexShape(mapping=index_name(index).mapping, settings=self._settings.index_settings),
        )
