"""Memory in memory: exact vectors, shared words, the same fusion."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

from plinth.contracts.memory import (
    EVERYONE,
    NO_LABELS,
    DocumentVersion,
    IndexedVersion,
    Labels,
    Passage,
    SearchScope,
    Span,
    StoredPassage,
)
from plinth.contracts.retrieval import Mix
from plinth.contracts.tenant import Tenant
from plinth.memory.fusion import fuse
from plinth.memory.labels import may_see, readers_of

Vector = Sequence[float]
FIRST_INDEX = "passages-m0"


class FakeMemory:
    """`Memory` over a dictionary by tenant and chunk id."""

    def __init__(self) -> None:
        self._stored: dict[tuple[Tenant, str], tuple[StoredPassage, Vector]] = {}
        self.others: dict[str, FakeMemory] = {}

    def named(self, index: str) -> "FakeMemory":
        """Be the memory in the first index, and have one of the same kind for each other."""
        return self if index == FIRST_INDEX else self.others.setdefault(index, type(self)())

    def search(self, scope: SearchScope, question: str, vector: Vector, *, limit: int, mix: Mix) -> list[StoredPassage]:
        stored = {
            chunk_id: (_shared(question, passage), _dot(vector, each), passage)
            for (owner, chunk_id), (passage, each) in self._stored.items()
            if owner == scope.tenant and may_see(scope, access=passage.access, metadata=passage.metadata)
        }
        by_words = sorted((each for each in stored if stored[each][0]), key=lambda each: -stored[each][0])
        by_meaning = sorted(stored, key=lambda each: -stored[each][1])
        fused = fuse(by_words[: 2 * limit], by_meaning[: 2 * limit], mix=mix)
        return [replace(stored[each][2], score=score, similarity=stored[each][1]) for each, score in fused[:limit]]

    def around(self, scope: SearchScope, spans: Sequence[Span]) -> list[StoredPassage]:
        inside = [
            passage
            for span in spans
            for (owner, _), (passage, _) in sorted(self._stored.items(), key=lambda item: item[1][0].position)
            if owner == scope.tenant
            and (passage.document_id, passage.generation) == (span.document_id, span.generation)
            and span.first <= passage.position <= span.last
            and may_see(scope, access=passage.access, metadata=passage.metadata)
        ]
        return list({each.chunk_id: each for each in inside}.values())

    def index(
        self,
        document: DocumentVersion,
        title: str,
        passages: Sequence[tuple[Passage, Vector]],
        *,
        labels: Labels = NO_LABELS,
    ) -> int:
        for passage, vector in passages:
            chunk_id = f"{document.document_id}:{document.generation}:{passage.position:06d}"
            stored = StoredPassage(
                chunk_id=chunk_id,
                document_id=document.document_id,
                generation=document.generation,
                name=document.name,
                title=title,
                position=passage.position,
                text=passage.text,
                score=0.0,
                page=passage.page,
                heading=passage.heading,
                above=passage.above,
                start=passage.start,
                end=passage.end,
                tokens=passage.tokens,
                context=passage.context,
                context_key=passage.context_key,
                metadata=labels.metadata,
                access=readers_of(labels),
            )
            self._stored[document.tenant, chunk_id] = (stored, vector)
        return len(passages)

    def read(self, document: DocumentVersion) -> IndexedVersion:
        found = [self._stored[key] for key, stored in self._of(document) if stored.generation == document.generation]
        held = sorted(found, key=lambda each: each[0].position)
        access = held[0][0].access if held else ()
        return IndexedVersion(
            title=held[0][0].title if held else "",
            labels=Labels(metadata=held[0][0].metadata if held else (), access=() if access == (EVERYONE,) else access),
            passages=tuple((_passage(each), vector) for each, vector in held),
        )

    def drop(self) -> None:
        self._stored.clear()

    def count(self, document: DocumentVersion) -> int:
        return sum(stored.generation == document.generation for _, stored in self._of(document))

    def remove_older(self, document: DocumentVersion) -> int:
        return self._remove(document, lambda generation: generation < document.generation)

    def remove_this(self, document: DocumentVersion) -> int:
        return self._remove(document, lambda generation: generation == document.generation)

    def remove_through(self, document: DocumentVersion) -> int:
        return self._remove(document, lambda generation: generation <= document.generation)

    def remove_tenant(self, tenant: Tenant) -> int:
        gone = [key for key in self._stored if key[0] == tenant]
        for key in gone:
            del self._stored[key]
        return len(gone)

    def _of(self, document: DocumentVersion) -> list[tuple[tuple[Tenant, str], StoredPassage]]:
        return [
            (key, stored)
            for key, (stored, _) in self._stored.items()
            if key[0] == document.tenant and stored.document_id == document.document_id
        ]

    def _remove(self, document: DocumentVersion, goes: Callable[[str], bool]) -> int:
        gone = [key for key, stored in self._of(document) if goes(stored.generation)]
        for key in gone:
            del self._stored[key]
        return len(gone)


def _passage(stored: StoredPassage) -> Passage:
    return Passage(**{each.name: getattr(stored, each.name) for each in fields(Passage)})


def _shared(question: str, passage: StoredPassage) -> int:
    words = set(question.lower().split())
    return len(words & set(passage.searched.lower().split()))


def _dot(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
