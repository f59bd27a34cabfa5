"""What makes an erasure one job: its row in the table of tenants, and the marks that hide its target meanwhile.

Row ERASURE#<id> / ERASURE. A tenant's row carries `erasing` (the erasure's id) or `erasing_users`, which are read with
every request, so that what is being erased is hidden by one write.
"""

from dataclasses import replace

import msgspec

from plinth.adapters.dynamodb_items import Value, packed, row, unpacked
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table, Update
from plinth.contracts.erasing import Erasure, Extent, Position, Target
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, StoreUnavailableError

_ROUNDS = 8


class _ErasureRow(msgspec.Struct):
    body: bytes


class _TenantRow(msgspec.Struct):
    erasing: str = ""
    erasing_users: tuple[str, ...] = ()


class DynamoErasures:
    """`Erasures` in the table of tenants."""

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def begin(self, erasure: Erasure) -> Erasure:
        """Write the row and the mark in one transaction."""
        target = erasure.target
        written = Put(key=_key(erasure.id), item=_item(erasure), condition="attribute_not_exists(pk)")
        hides = {Extent.DOCUMENT: None, Extent.USER: _hiding_user(target), Extent.TENANT: _hiding(target, erasure.id)}
        hidden = hides[target.extent]
        try:
            self._table.transact(written, *([hidden] if hidden else []))
        except ConditionFailedError as failed:
            if failed.old[0]:  # our own write, whose answer was lost
                return self.get(erasure.id)
            stored = row(failed.old[1] or {}, _TenantRow)
            if stored.erasing and target.extent is Extent.TENANT:
                return self.get(stored.erasing)
            if target.name in stored.erasing_users and target.extent is Extent.USER:
                self._table.write(written)
                return erasure
            raise NotFoundError(f"no tenant {target.tenant.id}") from failed
        return erasure

    def get(self, erasure_id: str) -> Erasure:
        """Return the erasure as its row has it."""
        found = self._table.get(_key(erasure_id))
        if found is None:
            raise NotFoundError(f"no erasure {erasure_id}")
        return unpacked(row(found, _ErasureRow).body, Erasure)

    def advance(self, erasure: Erasure) -> Erasure:
        """Write the row over the one that was read."""
        moved = _next_turn(erasure)
        self._replace(moved, before=erasure.turn)
        return moved

    def end(self, erasure: Erasure) -> None:
        """Write the row without names, and take the user's mark away."""
        target = erasure.target
        if target.extent is Extent.USER:
            self._show(target.tenant, target.name)
        self._replace(_next_turn(_nameless(erasure)), before=erasure.turn)

    def _replace(self, erasure: Erasure, *, before: int) -> None:
        written = Put(
            key=_key(erasure.id), item=_item(erasure), condition="#turn = :before", values={":before": before}
        )
        try:
            self._table.write(written)
        except ConditionFailedError as failed:
            raise StoreUnavailableError("somebody else works on this erasure: try again later") from failed

    def _show(self, tenant: Tenant, user: str) -> None:
        for _ in range(_ROUNDS):
            known = self._table.get(_tenant_key(tenant)) or {}
            before = row(known, _TenantRow).erasing_users
            if user not in before:
                return
            shown = Update(
                key=_tenant_key(tenant),
                change="SET #erasing_users = :after",
                condition="#erasing_users = :before",
                values={":before": list(before), ":after": [each for each in before if each != user]},
            )
            try:
                self._table.write(shown)
            except ConditionFailedError:
                continue
            return
        raise StoreUnavailableError("other erasures kept changing the tenant's row: try again later")


def _next_turn(erasure: Erasure) -> Erasure:
    return replace(erasure, turn=erasure.turn + 1)


def _nameless(erasure: Erasure) -> Erasure:
    """Return the erasure as it is kept: its receipt names nobody, and neither does its row."""
    target = erasure.target
    name = target.name if target.extent is not Extent.USER else ""
    return replace(erasure, target=replace(target, name=name, object_name=""), position=Position())


def _item(erasure: Erasure) -> dict[str, Value | None]:
    return {"tenant": erasure.target.tenant.id, "turn": erasure.turn, "body": packed(erasure)}


def _hiding(target: Target, erasure_id: str) -> Update:
    return Update(
        key=_tenant_key(target.tenant),
        change="SET #erasing = :id",
        condition="attribute_exists(pk) AND attribute_not_exists(#erasing)",
        values={":id": erasure_id},
    )


def _hiding_user(target: Target) -> Update:
    return Update(
        key=_tenant_key(target.tenant),
        change="SET #erasing_users = list_append(if_not_exists(#erasing_users, :none), :one)",
        condition="attribute_exists(pk) AND NOT contains(#erasing_users, :user)",
        values={":none": [], ":one": [target.name], ":user": target.name},
    )


def _tenant_key(tenant: Tenant) -> Key:
    return f"TENANT#{tenant.id}", "TENANT"


def _key(erasure_id: str) -> Key:
    return f"ERASURE#{erasure_id}", "ERASURE"
