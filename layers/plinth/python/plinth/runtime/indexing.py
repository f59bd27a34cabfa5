"""How texts become vectors for the indexes of a tenant: each model embeds a text once, and none that it has before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plinth.contracts.memory import DocumentVersion
from plinth.errors import PassagesNotVisibleError
from plinth.memory.index_names import index_name
from plinth.ports.documents import Vector
from plinth.runtime.live_passages import live_passages
from plinth.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A vector per text, of which `embedded` were made now."""

    vectors: Mapping[str, Vector]
    embedded: int


def embedded_for(
    document: DocumentVersion, texts: Sequence[str], indexes: Sequence[str], services: Services
) -> Embedded:
    """Return the vectors of one model, which all of the indexes hold; of the live version's texts they are read."""
    live = live_passages(document, indexes[0], services)
    known = {passage.searched: vector for passage, vector in live}
    fresh = [text for text in texts if text not in known]
    made = dict(zip(fresh, services.embedder_of(indexes[0]).embed(fresh), strict=True)) if fresh else {}
    return Embedded(vectors={text: made[text] if text in made else known[text] for text in texts}, embedded=len(fresh))


def copy_version(document: DocumentVersion, target: str, services: Services, *, passages: int) -> None:
    """Copy a version from the index that is searched, with new vectors for another model.

    `PassagesNotVisibleError` where a search does not see all its passages yet: then nothing is written.
    """
    live = services.documents.corpus(document.tenant).indexes.live
    held = services.memory.named(live).read(document)
    if len(held.passages) != passages:
        raise PassagesNotVisibleError(f"{len(held.passages)} of {passages} passages are searchable in {live}")
    vectors: Sequence[Vector] = [vector for _, vector in held.passages]
    if index_name(live).model != index_name(target).model and vectors:
        vectors = services.embedder_of(target).embed([passage.searched for passage, _ in held.passages])
    pairs = [(passage, vector) for (passage, _), vector in zip(held.passages, vectors, strict=True)]
    services.memory.named(target).index(document, held.title, pairs, labels=held.labels)
