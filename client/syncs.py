"""What operators ask the API about syncs, and the words that it answers in."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from client.wire import Wire, decoded
from plinth.contracts.importing import ImportFailure
from plinth.contracts.syncs import Removal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSync:
    """What to sync, as `POST /v1/syncs` takes it."""

    tenant: str
    bucket: str
    prefix: str
    every_seconds: int
    pattern: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """How the last pass of a sync went."""

    at: float
    seen: int
    added: int
    changed: int
    removed: int
    held_back: int
    problem: str
    ready: int
    failed: int
    refused: tuple[ImportFailure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStanding:
    """A sync as it stands."""

    id: str
    tenant: str
    bucket: str
    prefix: str
    every_seconds: int
    next_at: float
    state: str
    pattern: str = ""
    last: Pass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncList:
    """A tenant's syncs."""

    syncs: tuple[SyncStanding, ...]


class SyncCalls:
    """The part of the API's client that is about syncs; the key needs the scope `admin`."""

    _wire: Wire

    def create_sync(self, sync: NewSync) -> SyncStanding:
        """Sync a prefix of a bucket, or replace the settings of that sync."""
        body = {name: getattr(sync, name) for name in NewSync.__dataclass_fields__}
        return self._wire.call("POST", "/v1/syncs", into=SyncStanding, body=body)

    def syncs(self, tenant: str) -> tuple[SyncStanding, ...]:
        """Return a tenant's syncs."""
        return self._wire.call("GET", f"/v1/syncs?{urlencode({'tenant': tenant})}", into=SyncList).syncs

    def get_sync(self, sync_id: str) -> SyncStanding:
        """Return the sync as it stands."""
        return self._wire.call("GET", _path(sync_id), into=SyncStanding)

    def sync_now(self, sync_id: str, *, allow_deletes: bool = False) -> SyncStanding:
        """Begin a pass."""
        body = {"allow_deletes": allow_deletes}
        return self._wire.call("POST", f"{_path(sync_id)}/now", into=SyncStanding, body=body)

    def delete_sync(self, sync_id: str, *, documents: Removal) -> SyncStanding:
        """End the sync, and let its documents be or delete them."""
        answer = self._wire.send("DELETE", f"{_path(sync_id)}?{urlencode({'documents': documents})}")
        return decoded(answer, SyncStanding)


def _path(sync_id: str) -> str:
    return f"/v1/syncs/{quote(sync_id, safe='')}"
