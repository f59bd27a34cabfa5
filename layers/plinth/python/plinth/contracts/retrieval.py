"""How passages are looked for and chosen: what an environment sets, for all of its tenants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How much the rankings by words and by vectors count, and how fast a rank's worth falls: slower for a larger `k`.

    The default was judged on labelled questions (ADR 20): with it, what words alone find first comes sixth at worst.
    """

    words: float = 0.3
    vectors: float = 0.7
    k: int = 2


DEFAULT_MIX = Mix()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """What is done between the search and the prompt.

    Where no passage is as similar to the question as `floor` (a cosine), nothing counts as found. At most
    `per_document` passages come of one document. `diversity`, from 0 to 1, is what a passage loses for words that a
    better one has. `neighbours` on each side of what was found fill what is left of the prompt. `rerank` asks the
    environment's cross-encoder.
    """

    mix: Mix = DEFAULT_MIX
    floor: float = 0.25
    per_document: int = 4
    diversity: float = 0.0
    neighbours: int = 0
    rerank: bool = False
