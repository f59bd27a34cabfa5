"""Who a request belongs to: the one value that builds every key, filter, prefix and partition."""

import re
from dataclasses import dataclass

_TENANT_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One customer of the application. Made by authentication, and by ingestion from the object's prefix.

    `id` is 1 to 32 lower-case letters, digits and inner hyphens, so that it can stand in a key or a prefix unescaped.
    """

    id: str

    def __post_init__(self) -> None:
        if not _TENANT_ID.fullmatch(self.id):
            raise ValueError(f"tenant id {self.id!r}: use 1 to 32 of a-z, 0-9 and inner hyphens")
