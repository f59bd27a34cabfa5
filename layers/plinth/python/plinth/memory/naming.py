"""How documents, their versions and their texts are named."""

import hashlib
import unicodedata
from dataclasses import replace

from plinth.contracts.memory import DocumentVersion
from plinth.contracts.tenant import Tenant

_SEQUENCE_LENGTH = 32
_DELETION = "T"
_MAX_KEY_BYTES = 1024
"""Amazon S3 user guide, object key naming: at most 1,024 bytes of UTF-8."""


def document_id(tenant: Tenant, name: str) -> str:
    """Return the id of the document that a tenant stores under `name`; the same name is always the same document."""
    return "doc_" + hashlib.sha256(f"{tenant.id}\0{name}".encode()).hexdigest()[:24]


def object_key(tenant: Tenant, name: str) -> str:
    """Return the object key of a document."""
    return f"{tenant.id}/{name}"


def name_fault(tenant: Tenant, name: str) -> str | None:
    """Return what is wrong with a document's name that could lead elsewhere or be too long for its object, or None."""
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "must not hold control characters"
    if {"", ".", ".."} & set(name.split("/")):
        return "must be a path without leading, trailing or doubled slashes, `.` or `..`"
    if len(object_key(tenant, name).encode()) > _MAX_KEY_BYTES:
        return f"is too long: with the tenant before it, at most {_MAX_KEY_BYTES} bytes"
    return None


def sequence(sequencer: str) -> str:
    """Return S3's sequencer (hexadecimal, of varying length) left-padded, so that text order is event order.

    Source: Amazon S3 user guide, event message structure (compare after left-padding with zeros).
    """
    return sequencer.upper().rjust(_SEQUENCE_LENGTH, "0")


def sequence_after(known: str) -> str:
    """Return a sequence just behind a known one, and before that of any later event of the same object.

    For a change whose event was lost: `known` may be empty, or the result of an earlier call. In text order it stands
    behind every generation of the known sequence.
    """
    base, _, count = known.rjust(_SEQUENCE_LENGTH, "0").removesuffix(_DELETION).partition("R")
    return f"{base}R{int(count or 0) + 1:04d}"


def deletion_after(known: str) -> str:
    """Return the sequence of a lost deletion: behind that of an upload which the same known sequence gave its own."""
    return sequence_after(known) + _DELETION


def of_generation(document: DocumentVersion, generation: str) -> DocumentVersion:
    """Return the version, and the try, of the document that the generation names."""
    sequence, _, attempt = generation.partition(".")
    return replace(document, sequence=sequence, attempt=int(attempt))


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text (hex): equal texts have equal vectors."""
    return hashlib.sha256(text.encode()).hexdigest()


def sequence_before(sequence: str) -> str:
    """Return the sequence right before this one; "" before the first."""
    if sequence.endswith(_DELETION):
        return sequence.removesuffix(_DELETION)
    base, _, count = sequence.partition("R")
    if count:
        return f"{base}R{int(count) - 1:04d}" if int(count) > 1 else base
    number = int(sequence or "0", 16)
    return f"{number - 1:0{_SEQUENCE_LENGTH}X}" if number else ""
