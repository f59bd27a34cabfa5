"""How bytes are framed as application/vnd.amazon.eventstream, the wire format of a SageMaker response stream."""

import json
import struct
import zlib
from collections.abc import Mapping

_STRING_HEADER = 7


def payload_part(body: bytes) -> bytes:
    """Frame a piece of the model's answer."""
    headers = {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}
    return _frame(headers, body)


def stream_error(message: str) -> bytes:
    """Frame the ModelStreamError that ends a stream whose model broke off."""
    headers = {
        ":exception-type": "ModelStreamError",
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return _frame(headers, json.dumps({"Message": message, "ErrorCode": "StreamBroken"}).encode())


def _frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    encoded = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", len(encoded) + len(payload) + 16, len(encoded))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + encoded + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _STRING_HEADER, len(value)) + value
