"""How a Python value is written as a DynamoDB attribute and read back: whole and broken numbers, text, bytes, nests."""

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from plinth.errors import RecordUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Value = str | int | float | bool | bytes | Sequence["Value"] | Mapping[str, "Value"]
Item = Mapping[str, Value]
Row = TypeVar("Row")


def to_attributes(item: Mapping[str, Value | None]) -> "dict[str, AttributeValueTypeDef]":
    """Return the item as DynamoDB takes it; a None is left out, so absence means None."""
    return {name: _to_attribute(value) for name, value in item.items() if value is not None}


def _to_attribute(value: Value) -> "AttributeValueTypeDef":
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": to_attributes(value)}
        case _:
            return {"L": [_to_attribute(member) for member in value]}


def from_attributes(attributes: "Mapping[str, AttributeValueTypeDef]") -> dict[str, Value]:
    """Return the item that DynamoDB gave."""
    return {name: _from_attribute(attribute) for name, attribute in attributes.items()}


def _from_attribute(attribute: Mapping[str, Any]) -> Value:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return float(value) if set(value) & set(".eE") else int(value)
        case "B":
            return bytes(value)
        case "M":
            return from_attributes(value)
        case "L":
            return [_from_attribute(member) for member in value]
        case _:
            members: Value = value
            return members


def row(item: Mapping[str, object], kind: type[Row]) -> Row:
    """Return the item as the record `kind`, or raise `RecordUnreadableError`; unknown attributes are ignored."""
    try:
        return msgspec.convert(item, kind, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise RecordUnreadableError("a stored row can't be read") from error


def packed(content: object) -> bytes:
    """Return a record as compressed JSON: a write unit is 1 KB, so fewer bytes cost less."""
    return zlib.compress(msgspec.json.encode(content))


def unpacked(body: bytes, kind: type[Row]) -> Row:
    """Return the record that `packed` was given, or raise `RecordUnreadableError`."""
    try:
        return msgspec.json.decode(zlib.decompress(body), type=kind)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordUnreadableError("a stored content can't be read") from error
