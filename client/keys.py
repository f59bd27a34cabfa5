"""How an API key is made: `pl_<environment>_<id>_<secret>_<crc32>`, of which only the secret's SHA-256 is stored."""

import hashlib
import secrets
import string
import zlib
from dataclasses import dataclass

_SECRET_CHARACTERS = string.ascii_letters + string.digits
_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 16
_SECRET_LENGTH = 43
"""43 of 62 characters hold 256 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that nobody has seen yet. `text` is shown once."""

    id: str
    text: str
    secret_sha256: str


def make_key(environment: str) -> NewKey:
    """Return a new random key; its checksum covers everything before its underscore."""
    key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
    secret = "".join(secrets.choice(_SECRET_CHARACTERS) for _ in range(_SECRET_LENGTH))
    body = f"pl_{environment}_{key_id}_{secret}"
    return NewKey(
        id=key_id,
        text=f"{body}_{zlib.crc32(body.encode()):08x}",
        secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
    )
