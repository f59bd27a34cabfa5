"""What goes into and comes out of each step of the ingest and erase machines.

Text and vectors never travel in these: they lie in the work bucket under the document version.
"""

from dataclasses import dataclass

from plinth.contracts.memory import DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDocumentInput:
    """`execution` is the name of the machine's execution: one that asks again keeps its try.

    `reread_for` names an index: a live version that it lacks is tried again for it.
    """

    document: DocumentVersion
    execution: str
    reread_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDocumentOutput:
    """`current` is false where a newer version or a deletion is already known: there is nothing left to do."""

    current: bool
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocumentInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocumentOutput:
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDocumentInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDocumentOutput:
    """`tokens` is what the embedding model reads of all passages, those of the live version too.

    `with_contexts` says that a model is to write of them.
    """

    passages: int
    tokens: int = 0
    with_contexts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPassagesInput:
    document: DocumentVersion
    with_contexts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPassagesOutput:
    """`embedded` texts were turned into vectors, `reused` ones have theirs in the live version; per model.

    Of the passages `in_context` carry a context; `tokens` counts those as well.
    """

    embedded: int
    reused: int = 0
    in_context: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What EmbedPassages keeps of a version: by model, as index names have it, a unit vector per text, by its hash."""

    by_model: dict[str, dict[str, list[float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPassagesInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPassagesOutput:
    """`indexes` are those that hold the version now, as far as its vectors fit them."""

    indexed: int
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDocumentInput:
    """`passages` is what must be countable by a search, in each of `indexes`, before readers may see the version.

    `in_context` of them have a context; all contexts that had to be written cost `contexts_micro_usd`.
    """

    document: DocumentVersion
    passages: int
    indexes: tuple[str, ...]
    tokens: int = 0
    in_context: int = 0
    contexts_micro_usd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDocumentOutput:
    """`published` is false where a newer version, try or deletion won.

    `moved` says that the tenant has another index by now, which has to get the version too.
    """

    published: bool
    corpus_version: int
    moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePassagesInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePassagesOutput:
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseDocumentInput:
    """`error` and `cause` are what Step Functions hands to a Catch."""

    document: DocumentVersion
    execution: str
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseDocumentOutput:
    """`refused` is false where the version is live, or something newer is known."""

    reason: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePassagesInput:
    """`document.sequence` is that of the deletion: nothing newer is touched."""

    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePassagesOutput:
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDocumentInput:
    """The first step of an erasure: the tombstone stays, so that a late event can't bring the document back."""

    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDocumentOutput:
    corpus_version: int
