"""What the answer cache lets through: hits and false hits of pairs of questions, with the model that makes vectors.

A hit needs both judges, the content gate and the cosine; what either alone would let through stands beside it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.cache_pairs import Pair, pairs
from bench.cache_published import answers, pairs_by
from bench.figures import Figure, Goal
from local.models.files import cache_directory, ensure
from plinth.adapters.onnx_embedder import OnnxEmbedder
from plinth.chain.caching import NEAR_COSINE, cosine, question_vector
from plinth.chain.content_gate import Gate, form
from plinth.contracts.questions import QuestionVector

_REFERENCE = "questions of the kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A pair, whether its forms are equal, and the cosine of its questions."""

    pair: Pair
    same_form: bool
    cosine: float

    @property
    def near(self) -> bool:
        """Whether the cosine alone would let it through."""
        return self.cosine >= NEAR_COSINE

    @property
    def hit(self) -> bool:
        """Whether the cache would answer one question with the answer of the other."""
        return self.same_form and self.near


def judge(directory: Path, gates: Sequence[Gate] = tuple(Gate)) -> list[Judged]:
    """Return every pair as the cache judges it, with the embedding model in `directory`."""
    vector = _vectors(OnnxEmbedder(directory))
    return [
        Judged(
            pair=pair,
            same_form=form(pair.one, gates) == form(pair.other, gates),
            cosine=cosine(vector(pair.one), vector(pair.other)),
        )
        for pair in pairs()
    ]


def bound_95(wrong: int, of: int) -> float:
    """Return an upper bound of a rate at 95 % confidence: 3/n where none was wrong, else Wilson's with z = 1.645."""
    if wrong == 0:
        return min(1.0, 3 / of)
    z, share = 1.645, wrong / of
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (share + z * z / (2 * of) + spread) / (1 + z * z / of)


def measure(*, large: bool) -> list[Figure]:
    """Return a figure per kind of pair: its hits in percent, false ones for pairs that differ."""
    del large
    directory = ensure("embedding", cache=cache_directory(), progress=print)
    judged = judge(directory)
    different = [each for each in judged if not each.pair.same]
    kinds = dict.fromkeys(each.pair.kind for each in judged)
    return [
        _figure("false hits, all kinds", different),
        _published(directory),
        *(_figure(kind, [each for each in judged if each.pair.kind == kind]) for kind in kinds),
    ]


def _figure(name: str, judged: Sequence[Judged]) -> Figure:
    count, hits = len(judged), sum(each.hit for each in judged)
    false = not judged[0].pair.same
    return Figure(
        name=name,
        unit="% false hits" if false else "% hits",
        samples=(100 * hits / count,),
        reference=_REFERENCE,
        reference_samples=(float(count),),
        details={
            "n": count,
            "hits": hits,
            "by cosine alone": sum(each.near for each in judged),
            "by content alone": sum(each.same_form for each in judged),
            **({"95 % bound of false hits, %": round(100 * bound_95(hits, count), 2)} if false else {}),
        },
        goals=(Goal(what="false hits", value=hits, limit=0),) if false else (),
    )


def _published(directory: Path) -> Figure:
    """Return how many hits among the published questions have answers that differ."""
    known, vector = answers(cache_directory()), _vectors(OnnxEmbedder(directory))
    alike = list(pairs_by({question: form(question) for question in known}))
    hits = [(one, other) for one, other in alike if cosine(vector(one), vector(other)) >= NEAR_COSINE]
    differing = [f"{one} | {other}" for one, other in hits if not known[one] & known[other]]
    pairs = math.comb(len(known), 2)
    return Figure(
        name="questions people asked (BoolQ)",
        unit="% of hits answered otherwise",
        samples=(100 * len(differing) / len(hits),),
        reference="pairs of questions",
        reference_samples=(float(pairs),),
        details={
            "questions": len(known),
            "pairs": pairs,
            "by content alone": len(alike),
            "hits": len(hits),
            "answered otherwise": len(differing),
            "95 % bound of hits answered otherwise, %": round(100 * bound_95(len(differing), len(hits)), 2),
            **{f"otherwise {number}": pair for number, pair in enumerate(differing, 1)},
        },
    )


def _vectors(embedder: OnnxEmbedder) -> Callable[[str], QuestionVector]:
    @cache
    def vector(text: str) -> QuestionVector:
        (made,) = embedder.embed([text])
        return question_vector(made, model=embedder.model_id)

    return vector
