"""Which environment variables say how buckets are synced."""

import os
from functools import cached_property

from plinth.errors import SettingMissingError


def required(name: str) -> str:
    """Return the variable, which has to be set."""
    value = os.environ.get(name, "")
    if not value:
        raise SettingMissingError(f"{name} is not set: the stack that makes this function must pass it")
    return value


class SyncSettings:
    """The variables of syncs: that of the documents bucket, and those of other buckets."""

    @cached_property
    def sync_settle_seconds(self) -> float:
        """How long an event of the documents bucket may be on its way: what changed since then no sync touches."""
        return float(os.environ.get("PLINTH_SYNC_SETTLE_SECONDS", "900"))

    @cached_property
    def sync_buckets(self) -> tuple[str, ...]:
        """Names of the buckets, separated by spaces, that syncs may read; without any there are none to sync."""
        return tuple(os.environ.get("PLINTH_SYNC_BUCKETS", "").split())

    @cached_property
    def sync_function(self) -> str:
        """Name of the function that makes passes of syncs."""
        return required("PLINTH_SYNC_FUNCTION")
