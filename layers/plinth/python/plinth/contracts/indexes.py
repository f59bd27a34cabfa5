"""Which indexes hold a tenant's passages, and how a reindex changes that."""

from dataclasses import dataclass
from typing import Literal

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantIndexes:
    """Searches read `live`. What is published is in `other` too: it is being filled, or may be gone back to."""

    live: str
    other: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Every index that a document must be in before it is published."""
        return (self.live, self.other) if self.other else (self.live,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A tenant's documents as a whole: `version` rises with every published change of them."""

    version: int
    indexes: TenantIndexes


class IndexSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an index is made where an environment says so: the engine's own defaults hold for what is None.

    A reindex gives other settings to passages that are there. Serverless collections take none of the sizes.
    """

    shards: int | None = None
    replicas: int | None = None
    engine: Literal["lucene", "faiss"] = "lucene"
    m: int | None = None
    ef_construction: int | None = None
    ef_search: int | None = None


AS_BY_DEFAULT = IndexSettings()


class SearchModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An embedding model: what its indexes are called, and its endpoint, None for the one in the function's process."""

    index: str
    dimension: int
    endpoint: str | None = None
    model: str = ""


IN_PROCESS = SearchModel(index="passages", dimension=384)
"""The model that every function which embeds carries in its layer."""
