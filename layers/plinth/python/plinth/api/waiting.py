"""How long a caller waits for a run: `Prefer: wait=N`, then reads that grow rarer until the run has ended."""

import re
from contextlib import suppress

from plinth.api.exchange import Exchange
from plinth.contracts.runs import RunRecord
from plinth.errors import InvalidFieldError, TransientError

MAX_WAIT_SECONDS = 25
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([^\s,;\"]*)", re.IGNORECASE)
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 0.5
_PAUSE_GROWTH = 1.3
_SPARED_SECONDS = 5.0
"""Before the function is stopped: a last read may be slow, and a caller that gets no answer does not learn the id."""


def wanted_wait(prefer: str | None) -> int | None:
    """Return the seconds of the `wait` preference (RFC 7240), or None; other preferences are ignored."""
    found = _WAIT.search(prefer or "")
    if found is None:
        return None
    seconds = int(found[1]) if re.fullmatch(r"[0-9]{1,4}", found[1]) else 0
    if not 1 <= seconds <= MAX_WAIT_SECONDS:
        raise InvalidFieldError("prefer", f"wait must be 1 to {MAX_WAIT_SECONDS} seconds: leave it out to get a 202")
    return seconds


def wait_for_end(exchange: Exchange, run_id: str, *, seconds: float) -> RunRecord | None:
    """Return the run once it has ended, or None when it has not within these seconds, or the function's time.

    A read that fails is only a read too early: the run was accepted, and the caller must learn its id.
    """
    services, tenant = exchange.services, exchange.caller.tenant
    give_up = min(services.clock.now() + seconds, exchange.ends_at - _SPARED_SECONDS)
    pause = _FIRST_PAUSE_SECONDS
    while services.clock.now() < give_up:
        with suppress(TransientError):
            record = services.runs.get(tenant, run_id)
            if record.status.final:
                return record
        exchange.pause(pause)
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)
    return None
