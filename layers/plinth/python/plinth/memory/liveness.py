"""Which search hits count: only those of the generation that the document's row says is live."""

from collections.abc import Mapping, Sequence

from plinth.contracts.memory import StoredPassage


def keep_live(hits: Sequence[StoredPassage], live: Mapping[str, str], *, limit: int) -> tuple[StoredPassage, ...]:
    """Return the first `limit` hits whose generation is the live one; `live` maps document id to generation."""
    return tuple(hit for hit in hits if live.get(hit.document_id) == hit.generation)[:limit]
