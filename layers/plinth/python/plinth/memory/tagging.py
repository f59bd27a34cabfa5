"""What an object's tags and user metadata say about its document: metadata to search by, and who may read it."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

from plinth.contracts.access import LABEL
from plinth.contracts.context_orders import ContextOrder
from plinth.contracts.memory import Labels, SourceFacts, SourceObject
from plinth.errors import DocumentRefusedError, InvalidFieldError
from plinth.memory.labels import MOST_NAMES, NAME, mark

ACCESS = "access"
"""A reserved name: its value lists access labels, separated by spaces or commas."""
CONTEXT_MODEL, CONTEXT_KEY, CONTEXT_MOST = "context-model", "context-key", "context-most-micro-usd"
"""Reserved names, which order contexts: the model that writes them, the key that pays, and what they may cost."""
CONTEXT_NAMES = frozenset({CONTEXT_MODEL, CONTEXT_KEY, CONTEXT_MOST})
OWN_MARK = "sync"
"""The reserved name: by it a copy, and each passage of it, says which sync brought it."""
_MOST_LABELS = 32
_NO_TEXT = frozenset({"Cc", "Cs", "Cn"})  # controls, halves of characters, and what Unicode does not know
_MOST_DIGITS = 15


def labels_of(metadata: Mapping[str, str]) -> Labels:
    """Return what the document is marked with; raise `InvalidFieldError` for what can't be a mark.

    Names that order contexts are none, so that nobody orders at another's expense: `with_order` alone sets them.
    """
    if taken := sorted(CONTEXT_NAMES & set(metadata)):
        raise InvalidFieldError(f"metadata.{taken[0]}", "is reserved: an upload or import says context_model instead")
    if len(metadata) > MOST_NAMES:
        raise InvalidFieldError("metadata", f"has more than {MOST_NAMES} names: send fewer")
    marks = [mark(name, metadata[name]) for name in sorted(metadata) if name != ACCESS]
    if odd := next((name for name, value in metadata.items() if not _is_text(value)), None):
        raise InvalidFieldError(f"metadata.{odd}", "holds control characters: remove them")
    access = _access(metadata[ACCESS]) if ACCESS in metadata else ()
    return Labels(metadata=tuple(marks), access=access)


def labels_of_upload(metadata: Mapping[str, str]) -> Labels:
    """Return what somebody marks an upload with; a sync's mark, by which a sync may replace and delete, is refused."""
    if OWN_MARK in metadata:
        raise InvalidFieldError(f"metadata.{OWN_MARK}", "is reserved for what a sync brings: use another name")
    return labels_of(metadata)


def source_facts(source: SourceObject) -> SourceFacts:
    """Return what a version's object says beside its text; a bad `access` refuses the document, as `bad_metadata`."""
    try:
        labels, contexts = labels_of_object(source.tags), ordered_contexts(source.tags)
    except InvalidFieldError as error:
        raise DocumentRefusedError("bad_metadata", f"{error}: correct the object's tags or metadata") from error
    return SourceFacts(content_sha256=hashlib.sha256(source.body).hexdigest(), labels=labels, contexts=contexts)


def ordered_contexts(metadata: Mapping[str, str]) -> ContextOrder:
    """Return which contexts are ordered; raise `InvalidFieldError` where what they may cost is no number."""
    told = {name.lower(): value for name, value in metadata.items()}
    most = told.get(CONTEXT_MOST)
    if most is not None and not (most.isascii() and most.isdigit() and len(most) <= _MOST_DIGITS):
        raise InvalidFieldError(f"metadata.{CONTEXT_MOST}", "must be a whole number of micro-dollars")
    return ContextOrder(
        model=told.get(CONTEXT_MODEL, ""),
        key_id=told.get(CONTEXT_KEY, ""),
        most_micro_usd=int(most) if most is not None else None,
    )


def with_order(metadata: Mapping[str, str], order: ContextOrder) -> dict[str, str]:
    """Return the metadata of an object that orders these contexts."""
    if not order.model:
        return dict(metadata)
    most = {} if order.most_micro_usd is None else {CONTEXT_MOST: str(order.most_micro_usd)}
    return {**metadata, CONTEXT_MODEL: order.model, CONTEXT_KEY: order.key_id, **most}


def labels_of_object(tags: Mapping[str, str]) -> Labels:
    """Return what an object's own tags mean: names in lower case; what can't be a name, or has no value, is left out.

    A tag such as `aws:cloudformation:stack-id` was not put there for us. `access` is never left out: raises
    `InvalidFieldError` where it can't be read, so that nobody reads what it was to protect.
    """
    return labels_of(marks_of_object(tags))


def marks_of_object(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of an object's own tags that mean something, as they are read; what orders contexts is apart."""
    lowered = {name.lower(): value for name, value in tags.items() if name.lower() not in CONTEXT_NAMES}
    return {name: value for name, value in lowered.items() if name == ACCESS or (value and NAME.fullmatch(name))}


def _is_text(value: str) -> bool:
    return _NO_TEXT.isdisjoint(map(unicodedata.category, value))


def _access(value: str) -> tuple[str, ...]:
    labels = tuple(sorted(set(re.split(r"[\s,]+", value.strip(" ,")))))
    if len(labels) > _MOST_LABELS or not all(LABEL.fullmatch(label) for label in labels):
        raise InvalidFieldError(
            "metadata.access", f"lists 1 to {_MOST_LABELS} labels of A-Z a-z 0-9 . _ : @ / -, each at most 64 long"
        )
    return labels
