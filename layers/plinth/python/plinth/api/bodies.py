"""What a request body must be before its fields matter: small enough, said to be JSON, UTF-8, one JSON object."""

import base64
import binascii

import msgspec

from plinth.errors import InvalidRequestError, RequestTooLargeError, UnsupportedContentTypeError

MAX_BODY_BYTES = 1024 * 1024


def body_bytes(body: str, *, is_base64: bool) -> bytes:
    """Return the body of a proxy event as it was sent; `RequestTooLargeError` above 1 MB."""
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        raw.decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidRequestError("the body is not UTF-8: send JSON in UTF-8") from error
    if len(raw) > MAX_BODY_BYTES:
        raise RequestTooLargeError(
            f"the body has {len(raw)} bytes, the limit is {MAX_BODY_BYTES}: upload long texts as documents"
        )
    return raw


def require_json_type(content_type: str) -> None:
    """Raise `UnsupportedContentTypeError` unless the header says JSON."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedContentTypeError("the body must be JSON: send `Content-Type: application/json`")


def json_object(body: str) -> dict[str, object]:
    """Return the body's JSON object; `InvalidRequestError` says where the JSON breaks, or what else was sent."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"the body must be one JSON object: {error}") from error
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"the body is not valid JSON: {error}") from error
    except RecursionError as error:
        raise InvalidRequestError("the body is nested too deeply") from error
