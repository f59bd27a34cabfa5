"""How many readers a tenant may have at once, so that one tenant's streams can't take every connection."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from plinth.contracts.tenant import Tenant
from plinth.errors import RateLimitedError

MAX_READERS = 20
"""Per tenant and process. On AWS a process has one reader, and the relay's reserved concurrency is the limit."""
_RETRY_AFTER_SECONDS = 5.0


class Readers:
    """Counts the open readers of each tenant in this process."""

    def __init__(self, limit: int = MAX_READERS) -> None:
        self._limit = limit
        self._open = Counter[str]()

    @contextmanager
    def one_more(self, tenant: Tenant) -> Generator[None]:
        """Count one reader while the context lasts, or raise `RateLimitedError`."""
        if self._open[tenant.id] >= self._limit:
            raise RateLimitedError(
                f"{self._limit} readers are open: close one, or read the run, GET /v1/runs/{{id}}",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )
        self._open[tenant.id] += 1
        try:
            yield
        finally:
            self._open[tenant.id] -= 1
            if not self._open[tenant.id]:
                del self._open[tenant.id]
