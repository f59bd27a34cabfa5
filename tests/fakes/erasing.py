"""Erasures in memory, and who signs and is told."""

from dataclasses import replace

from plinth.contracts.erasing import Erasure, Extent, Position, SignedReceipt
from plinth.errors import NotFoundError, StoreUnavailableError
from tests.fakes.tenants import FakeTenants


class FakeErasures:
    """`Erasures` that hide in `FakeTenants`."""

    def __init__(self, tenants: FakeTenants) -> None:
        self._tenants = tenants
        self._rows: dict[str, Erasure] = {}

    def begin(self, erasure: Erasure) -> Erasure:
        target = erasure.target
        if target.extent is not Extent.DOCUMENT and target.tenant not in self._tenants.tiers:
            raise NotFoundError(f"no tenant {target.tenant.id}")
        if target.extent is Extent.TENANT:
            for running in self._rows.values():
                if running.target.extent is Extent.TENANT and running.target.tenant == target.tenant:
                    return running
            self._tenants.erasing.add(target.tenant)
        if target.extent is Extent.USER:
            hidden = self._tenants.erasing_users.setdefault(target.tenant, [])
            hidden += [target.name] if target.name not in hidden else []
        self._rows[erasure.id] = erasure
        return erasure

    def get(self, erasure_id: str) -> Erasure:
        if erasure_id not in self._rows:
            raise NotFoundError(f"no erasure {erasure_id}")
        return self._rows[erasure_id]

    def advance(self, erasure: Erasure) -> Erasure:
        if self._rows[erasure.id].turn != erasure.turn:
            raise StoreUnavailableError("somebody else works on this erasure")
        self._rows[erasure.id] = moved = replace(erasure, turn=erasure.turn + 1)
        return moved

    def end(self, erasure: Erasure) -> None:
        target = erasure.target
        hidden = self._tenants.erasing_users.get(target.tenant, [])
        if target.extent is Extent.USER and target.name in hidden:
            hidden.remove(target.name)
        name = "" if target.extent is Extent.USER else target.name
        nameless = replace(target, name=name, object_name="")
        self.advance(replace(erasure, target=nameless, position=Position()))


class FakeSigner:
    """`ReceiptSigner` whose signature is no secret."""

    def sign(self, document: str) -> SignedReceipt:
        return SignedReceipt(document=document, signature="c2lnbmVk", key_id="key-1")


class FakeFailedErasures:
    """`FailedErasures`: `told` lists (id, error)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def send(self, erasure_id: str, *, error: str) -> None:
        self.told.append((erasure_id, error))
