"""How well passages are found: nDCG@10 and recall by words, by vectors and by the mix, on labelled questions.

The searches are those of the memory's adapter against the local engine, with the model that makes vectors. Each figure
is the share that a perfect ranking would have, in percent; the reference is the ranking by vectors alone.
"""

import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.figures import Figure
from bench.retrieval_sets import LabelledSet, fingerprint, labelled_sets
from bench.search import running_engine
from local.models.files import cache_directory, ensure
from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.adapters.opensearch_memory import OpenSearchMemory
from plinth.adapters.opensearch_requests import by_meaning, by_words
from plinth.contracts.memory import DocumentVersion, Passage, SearchScope
from plinth.contracts.retrieval import DEFAULT_MIX, Mix
from plinth.contracts.tenant import Tenant
from plinth.memory.fusion import fuse

DEPTH = 50
_GAIN_DEPTH = 10
_AT_ONCE = 64
_TENANT = Tenant(id="bench")
_SCOPE = SearchScope(tenant=_TENANT)
MIXES: Mapping[str, Mix] = {
    "words": Mix(words=1, vectors=0),
    "vectors": Mix(words=0, vectors=1),
    "plain mix": Mix(words=1, vectors=1),
    "mix": DEFAULT_MIX,
}

Rankings = tuple[list[int], list[int]]
"""Positions of passages, best first: by words, and by vectors."""


def measure(*, large: bool) -> list[Figure]:
    """Return a figure per labelled set and way of ranking."""
    del large
    embedder = OnnxEmbedder(ensure("embedding", cache=cache_directory(), progress=print))
    figures: list[Figure] = []
    for each in labelled_sets(cache_directory()):
        found = rankings(each, embedder)
        by_vectors = ndcg(each, found, MIXES["vectors"])
        figures += [_figure(name, mix, each, found, by_vectors=by_vectors) for name, mix in MIXES.items()]
    return figures


def rankings(labelled: LabelledSet, embedder: OnnxEmbedder) -> list[Rankings]:
    """Return both rankings of each question, by the adapter's own requests to the local engine."""
    passages, questions = vectors(labelled.passages, embedder), vectors(labelled.questions, embedder)
    with tempfile.TemporaryDirectory() as place, running_engine(Path(place)) as (client, _):
        memory = OpenSearchMemory(client=client, index="passages")
        pairs = [(Passage(position=at, text=text), passages[at].tolist()) for at, text in enumerate(labelled.passages)]
        memory.index(_document(), "", pairs)
        client.indices.refresh(index="passages")
        found: list[Rankings] = []
        for question, vector in zip(labelled.questions, questions, strict=True):
            asked = (by_words(_SCOPE, question, size=DEPTH), by_meaning(_SCOPE, vector.tolist(), size=DEPTH))
            body = [part for each in asked for part in ({"index": "passages"}, each)]
            words, meaning = client.msearch(body=body)["responses"]
            found.append((_positions(words), _positions(meaning)))
    return found


def vectors(texts: Sequence[str], embedder: OnnxEmbedder) -> npt.NDArray[np.float32]:
    """Return the texts' vectors, made once and kept beside the models."""
    kept = cache_directory() / "evaluation" / f"{embedder.model_id}-{fingerprint(texts)}.npy"
    if kept.is_file():
        stored: npt.NDArray[np.float32] = np.load(kept)
        return stored
    made = [
        vector for start in range(0, len(texts), _AT_ONCE) for vector in embedder.embed(texts[start : start + _AT_ONCE])
    ]
    array = np.array(made, dtype=np.float32)
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, array)
    return array


def gain(ranked: Sequence[int], answers: frozenset[int]) -> float:
    """Return nDCG@10 for one question: 1 where every answer stands in front."""
    got = sum(1 / math.log2(rank + 1) for rank, each in enumerate(ranked[:_GAIN_DEPTH], start=1) if each in answers)
    return got / sum(1 / math.log2(rank + 1) for rank in range(1, min(len(answers), _GAIN_DEPTH) + 1))


def ranked_by(mix: Mix, found: Rankings) -> list[int]:
    """Return the positions in the order of the mix."""
    words, meaning = ([str(each) for each in ranking] for ranking in found)
    return [int(each) for each, _ in fuse(words, meaning, mix=mix)]


def ndcg(labelled: LabelledSet, found: Sequence[Rankings], mix: Mix) -> float:
    """Return the mean nDCG@10 of the mix, in percent."""
    pairs = zip(found, labelled.answers, strict=True)
    return 100 * float(np.mean([gain(ranked_by(mix, each), answers) for each, answers in pairs]))


def recall(labelled: LabelledSet, found: Sequence[Rankings], mix: Mix, *, depth: int) -> float:
    """Return the mean share of a question's answers among the first `depth`, in percent."""
    pairs = zip(found, labelled.answers, strict=True)
    shares = [len(answers.intersection(ranked_by(mix, each)[:depth])) / len(answers) for each, answers in pairs]
    return 100 * float(np.mean(shares))


def _figure(name: str, mix: Mix, labelled: LabelledSet, found: Sequence[Rankings], *, by_vectors: float) -> Figure:
    return Figure(
        name=f"{labelled.name}: {name}",
        unit="% nDCG@10",
        samples=(ndcg(labelled, found, mix),),
        reference=f"{labelled.name}: nDCG@10 by vectors alone",
        reference_samples=(by_vectors,),
        details={
            "questions": len(labelled.questions),
            "passages": len(labelled.passages),
            "weights": f"{mix.words:g} words, {mix.vectors:g} vectors, k {mix.k}",
            **{f"recall@{depth} %": round(recall(labelled, found, mix, depth=depth), 1) for depth in (5, 10, 50)},
        },
    )


def _positions(answer: Mapping[str, Mapping[str, Sequence[Mapping[str, Mapping[str, int]]]]]) -> list[int]:
    return [hit["_source"]["position"] for hit in answer["hits"]["hits"]]


def _document() -> DocumentVersion:
    return DocumentVersion(
        tenant=_TENANT,
        document_id="doc_bench",
        name="bench",
        object_key="bench/bench",
        version_id=None,
        sequence="1",
        size_bytes=0,
    )
