"""How a document is read under its mapping: the words, numbers and vectors it is found by, and the source it keeps."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import numpy as np
import numpy.typing as npt

from local.search.analysis import words
from local.search.errors import SearchRequestError, mapping_error
from local.search.mapping import (
    BooleanField,
    DateField,
    Field,
    KeywordField,
    Mappings,
    NumberField,
    TextField,
    VectorField,
)

Vector = npt.NDArray[np.float32]

# Lucene's limit on one term (IndexWriter.MAX_TERM_LENGTH), in bytes of UTF-8.
LONGEST_TERM = 32_766


@dataclass(frozen=True)
class ReadDocument:
    """A document under its mapping. `source` is its JSON without the vectors, which are kept as float32 apart."""

    source: bytes
    terms: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    numbers: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    vectors: dict[str, Vector] = field(default_factory=dict[str, Vector])


def read_document(body: bytes | msgspec.Raw, mappings: Mappings) -> ReadDocument:
    """Return the document in `body`; raises SearchRequestError naming the field that does not fit."""
    try:
        source = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise mapping_error(f"failed to parse: {error}") from error
    document = read_fields(source, mappings)
    kept = {name: value for name, value in source.items() if name not in document.vectors}
    return ReadDocument(msgspec.json.encode(kept), document.terms, document.numbers, document.vectors)


def read_fields(source: dict[str, object], mappings: Mappings) -> ReadDocument:
    """Return what a decoded source is found by, without the source; raises SearchRequestError."""
    document = ReadDocument(source=b"")
    for name, value in source.items():
        if name not in mappings.properties:
            reason = f"mapping set to strict, dynamic introduction of [{name}] within [_doc] is not allowed"
            raise SearchRequestError(reason, kind="strict_dynamic_mapping_exception")
        if value is not None:
            _read_field(document, name, value, mappings.properties[name])
    return document


def _read_field(document: ReadDocument, name: str, value: object, kind: Field) -> None:
    try:
        if isinstance(kind, VectorField):
            document.vectors[name] = read_vector(value, kind)
            return
        values = msgspec.convert(value, type=list[object]) if isinstance(value, list) else [value]
        given = [one for one in values if one is not None]
        if isinstance(kind, NumberField):
            document.numbers[name] = [read_number(one, kind) for one in given]
        elif isinstance(kind, TextField):
            document.terms[name] = [word for one in given for word in words(read_string(one))]
        else:
            document.terms[name] = [read_term(one, kind) for one in given]
    except (TypeError, ValueError) as error:
        type_name = type(kind).__name__.removesuffix("Field").lower()
        raise mapping_error(f"failed to parse field [{name}] of type [{type_name}]: {error}") from error


def read_term(value: object, kind: KeywordField | BooleanField) -> str:
    """Return the one term under which a keyword or boolean is found; raises ValueError or TypeError."""
    if isinstance(kind, BooleanField):
        if value is True or value == "true":
            return "T"
        if value is False or value == "false":
            return "F"
        raise ValueError(f"[{value}] is neither true nor false")
    term = read_string(value)
    if len(term.encode()) > LONGEST_TERM:
        raise ValueError(f"a keyword is at most {LONGEST_TERM} bytes")
    return term


def read_string(value: object) -> str:
    """Return a string; numbers and booleans are written out as JSON does. Raises TypeError for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return msgspec.json.encode(value).decode()
    raise TypeError(f"expected a string, got {type(value).__name__}")


def read_number(value: object, kind: NumberField) -> int:
    """Return a whole number in the range of its type, or an instant in milliseconds; raises ValueError or TypeError."""
    if isinstance(kind, DateField) and isinstance(value, str):
        return read_instant(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, got [{value}]")
    if not kind.lowest <= value <= kind.highest:
        raise ValueError(f"[{value}] is out of range")
    return value


def read_instant(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 instant, UTC where it names no zone; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def read_vector(value: object, kind: VectorField) -> Vector:
    """Return a finite vector of the mapped dimension, not zero where angles are compared; raises ValueError."""
    try:
        vector = np.array(msgspec.convert(value, type=list[float]), dtype=np.float32)
    except msgspec.ValidationError as error:
        raise ValueError(f"a vector is a list of numbers: {error}") from error
    if len(vector) != kind.dimension:
        raise ValueError(f"Vector dimension mismatch. Expected: {kind.dimension}, Given: {len(vector)}")
    if not np.isfinite(vector).all():
        raise ValueError("a vector holds finite numbers only")
    if kind.method.space_type == "cosinesimil" and not vector.any():
        raise ValueError("zero vector is not supported when space type is [cosinesimil]")
    return vector
