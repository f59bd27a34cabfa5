"""How an erasure goes through the stores: a page at a time, so that it can stop anywhere and go on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

from plinth.contracts.erasing import ErasedPage, Erasure, ErasureState, Extent, Position, SignedReceipt, Target
from plinth.errors import NotFoundError
from plinth.memory.erasures import receipt_of, receipt_text, subject_sha256
from plinth.memory.stores import COPIES, is_erased
from plinth.ports.erasing import ErasableStore
from plinth.wiring import Services

PAGES = 20
"""Of one call of a step: each takes a second at most, so a call ends long before its function's time."""


def begin_erasure(target: Target, services: Services) -> Erasure:
    """Hide the target, write the erasure down and start its machine; all of it can be repeated.

    Syncs of a tenant go first, so that nothing comes back.
    """
    now = services.clock.now()
    target = replace(target, began_at=now)
    erasure = services.erasing.erasures.begin(
        Erasure(
            id=f"era_{uuid4().hex}",
            target=target,
            state=ErasureState.RUNNING,
            subject_sha256=subject_sha256(target),
            clean_from=now + services.settings.erase_settle_seconds,
        )
    )
    if target.extent is Extent.TENANT:
        for sync in services.syncs.of(target.tenant):
            services.syncs.drop(sync)
    services.machines.start_forget(erasure)
    return erasure


def erase_pages(erasure_id: str, step: str, stores: Sequence[ErasableStore], services: Services) -> bool:
    """Erase from at most `PAGES` pages of the stores; return whether the step is through with them."""
    erasure = services.erasing.erasures.get(erasure_id)
    stores = [store for store in stores if is_erased(store.name, erasure.target.extent)]
    if erasure.position.step != step:
        erasure = replace(erasure, position=Position(step=step))
    for _ in range(PAGES):
        if erasure.position.store == len(stores):
            return True
        store = stores[erasure.position.store]
        page = store.erase(erasure.target, erasure.position.after)
        erasure = services.erasing.erasures.advance(_after(erasure, store.name, page, services.clock.now()))
    return erasure.position.store == len(stores)


def _after(erasure: Erasure, store: str, page: ErasedPage, now: float) -> Erasure:
    position = erasure.position
    following = Position(step=position.step, store=position.store + (page.after is None), after=page.after)
    removed: Mapping[str, int] = erasure.removed
    if page.removed:
        removed = {**removed, store: removed.get(store, 0) + page.removed}
    return replace(
        erasure,
        state=ErasureState.RUNNING,
        position=following,
        removed=removed,
        pass_began_at=erasure.pass_began_at or now,
        pass_removed=erasure.pass_removed + page.removed,
        pass_left=erasure.pass_left + page.left,
    )


def another_pass(erasure: Erasure, services: Services) -> None:
    """Let the erasure go through all stores once more."""
    services.erasing.erasures.advance(
        replace(
            erasure,
            passes=erasure.passes + 1,
            pass_began_at=0.0,
            pass_removed=0,
            pass_left=0,
            position=Position(),
        )
    )


def sign(erasure: Erasure, services: Services) -> SignedReceipt:
    """Write the erasure's end with its signed receipt."""
    now = services.clock.now()
    ended = replace(erasure, passes=erasure.passes + 1, ended_at=now, state=ErasureState.DONE)
    signed = services.erasing.signer.sign(receipt_text(receipt_of(ended, COPIES, now=now)))
    services.erasing.erasures.end(replace(ended, receipt=signed))
    return signed


def require_own(erasure: Erasure, *, tenant: str, admin: bool) -> None:
    """Raise `NotFoundError` unless the erasure is the tenant's own, or an administrator asks."""
    if not admin and (erasure.target.tenant.id != tenant or erasure.target.extent is Extent.TENANT):
        raise NotFoundError(f"no erasure {erasure.id}")
