"""What an API key looks like: `pl_<environment>_<id>_<secret>_<crc32>`, made here and taken apart here.

The checksum is that of everything before its underscore, so that a mistyped key is refused before any look-up,
and a scanner can tell a real key from a look-alike.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

_ALPHABET = string.ascii_letters + string.digits
_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 16
_SECRET_LENGTH = 43
_FORMAT = re.compile(r"pl_([a-z0-9-]{1,32})_([a-z0-9]{1,32})_([A-Za-z0-9]{32,128})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The parts of a key. The secret is 256 bits and shown once: only `secret_sha256` is ever stored, under `id`."""

    environment: str
    id: str
    secret: str

    @property
    def text(self) -> str:
        """The key as its owner sends it."""
        body = f"pl_{self.environment}_{self.id}_{self.secret}"
        return f"{body}_{_checksum(body)}"

    @property
    def secret_sha256(self) -> str:
        """SHA-256 of the secret, in hex."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"ApiKey({self.environment}, {self.id})"


def make_key(environment: str) -> ApiKey:
    """Return a new random key of this environment."""
    return ApiKey(
        environment=environment,
        id="".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH)),
        secret="".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH)),
    )


def parse_key(text: str) -> ApiKey | None:
    """Return the parts of a key, or None where its form or its checksum is wrong."""
    found = _FORMAT.fullmatch(text)
    if found is None or found[4] != _checksum(text.rpartition("_")[0]):
        return None
    return ApiKey(environment=found[1], id=found[2], secret=found[3])


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
