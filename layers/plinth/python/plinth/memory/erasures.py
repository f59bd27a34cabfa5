"""When an erasure is over, and what its receipt says."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from plinth.contracts.erasing import Erasure, ErasureReceipt, Expiry, Extent, Target
from plinth.memory.stores import Copy

REST_SECONDS = 10
"""Between two passes, while something that the target's data is in has yet to end."""


def subject_sha256(target: Target) -> str:
    """Return the hash by which a receipt names its subject."""
    return hashlib.sha256(f"{target.extent}:{target.tenant.id}/{target.name}".encode()).hexdigest()


def wait_before_next_pass(erasure: Erasure, *, now: float) -> int | None:
    """Return the seconds until the next pass, or None where the pass that ended is the last: it found nothing.

    It only counts if it began when nothing could be written any more that had the target's data from before it was
    hidden: not by a request in flight, and not by an upload URL in somebody's hands.
    """
    if not erasure.pass_removed and not erasure.pass_left and erasure.pass_began_at >= erasure.clean_from:
        return None
    rest = REST_SECONDS if erasure.pass_left else 0
    return max(rest, round(erasure.clean_from - now + 0.5), 0)


def receipt_of(erasure: Erasure, copies: Iterable[Copy], *, now: float) -> ErasureReceipt:
    """Return what the ended erasure removed, and until when what it can't reach is kept."""
    target = erasure.target
    return ErasureReceipt(
        id=erasure.id,
        extent=target.extent,
        tenant=target.tenant.id if target.extent is not Extent.TENANT else "",
        subject_sha256=erasure.subject_sha256,
        began_at=target.began_at,
        ended_at=now,
        passes=erasure.passes,
        removed=dict(sorted(erasure.removed.items())),
        expires=tuple(
            Expiry(store=copy.store, what=copy.what, gone_by=_day_after(now, copy.kept_days))
            for copy in copies
            if target.extent in copy.of
        ),
    )


def receipt_text(receipt: ErasureReceipt) -> str:
    """Return the receipt as it is signed: JSON with sorted keys and no spaces."""
    return msgspec.json.encode(receipt, order="sorted").decode()


def _day_after(now: float, days: int) -> str:
    return (datetime.fromtimestamp(now, UTC) + timedelta(days=days + 1)).date().isoformat()
