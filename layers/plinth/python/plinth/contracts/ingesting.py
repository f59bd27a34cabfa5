"""What goes into and comes out of each step of the ingest and erase machines.

Text and vectors never travel in these: they lie in the work bucket under the document version.
"""

from dataclasses import dataclass

from plinth.contracts.memory import DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocumentInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocumentOutput:
    """`current` is false where a newer version or a deletion is already known: there is nothing left to do."""

    current: bool
    characters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDocumentInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDocumentOutput:
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPassagesInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPassagesOutput:
    """`embedded` texts were turned into vectors, `reused` ones had theirs from the live version."""

    model_id: str
    embedded: int
    reused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What EmbedPassages keeps of a version: a unit vector of the model per text, by the text's hash."""

    model_id: str
    by_text: dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPassagesInput:
    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPassagesOutput:
    indexed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDocumentInput:
    """`passages` is what must be countable by a search before readers may see the new version."""

    document: DocumentVersion
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDocumentOutput:
    """`published` is false where a newer version won."""

    published: bool
    corpus_version: int


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
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseDocumentOutput:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePassagesInput:
    """`document.sequence` is that of the deletion: nothing newer is touched."""

    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePassagesOutput:
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDocumentInput:
    """The last step of an erasure: the tombstone stays, so that a late event can't bring the document back."""

    document: DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDocumentOutput:
    corpus_version: int
