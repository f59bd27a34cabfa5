"""What makes an export one job: row EXPORT#<id> in its tenant's partition, so that no other tenant's id finds it."""

from dataclasses import replace

import msgspec

from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table
from plinth.contracts.exporting import Export
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, StoreUnavailableError
from plinth.ports.clock import Clock

_PREFIX = "EXPORT#"


class _ExportRow(msgspec.Struct):
    body: bytes
    expires_at: int


class DynamoExportJobs:
    """`ExportJobs` in the table of tenants."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def begin(self, export: Export) -> None:
        """Put the row; its id is new."""
        self._table.write(Put(key=_key(export.subject.tenant, export.id), item=_item(export)))

    def get(self, tenant: Tenant, export_id: str) -> Export:
        """Return the export as its row has it."""
        found = self._table.get(_key(tenant, export_id))
        if found is None or row(found, _ExportRow).expires_at <= self._clock.now():
            raise NotFoundError(f"no export {export_id}")
        return unpacked(row(found, _ExportRow).body, Export)

    def of(self, tenant: Tenant) -> list[Export]:
        """Read the rows of the tenant's partition."""
        rows = (row(each, _ExportRow) for each in self._table.query(_pk(tenant), first=_PREFIX, last=f"{_PREFIX}~"))
        return [unpacked(each.body, Export) for each in rows if each.expires_at > self._clock.now()]

    def advance(self, export: Export) -> Export | None:
        """Write the row over the one that was read."""
        moved = replace(export, turn=export.turn + 1)
        written = Put(
            key=_key(export.subject.tenant, export.id),
            item=_item(moved),
            condition="#turn = :before",
            values={":before": export.turn},
        )
        try:
            self._table.write(written)
        except ConditionFailedError as failed:
            if not failed.old[0]:
                return None
            raise StoreUnavailableError("somebody else works on this export: try again later") from failed
        return moved


def _pk(tenant: Tenant) -> str:
    return f"TENANT#{tenant.id}"


def _key(tenant: Tenant, export_id: str) -> Key:
    return _pk(tenant), f"{_PREFIX}{export_id}"


def _item(export: Export) -> dict[str, Value | None]:
    return {"turn": export.turn, "body": packed(export), "expires_at": export.expires_at}
