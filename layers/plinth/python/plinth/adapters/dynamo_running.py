"""How many runs of all tenants have not ended: one row of the environment, which turns callers away when it is full.

The one row that tenants share, and no limit of any of them rests on it. Whatever fails here admits: a signal that is
lost must not stop an environment. At 200 runs the row is 9 KB, so that it takes about 50 runs a second.
"""

import math
from contextlib import suppress

from plinth.access.gcra import NANOS
from plinth.access.limits import LimitsRow
from plinth.access.shedding import SHED_SECONDS, is_shed
from plinth.adapters.dynamodb_items import row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.access import Priority
from plinth.contracts.limits import Admission, LimitName
from plinth.contracts.runs import Run
from plinth.errors import TransientError
from plinth.ports.clock import Clock

_KEY: Key = ("ENVIRONMENT", "RUNNING")
_PRUNED_AT_ONCE = 50


class DynamoRunning:
    """The row of running runs, against a capacity."""

    def __init__(self, *, table: Table, clock: Clock, capacity: int) -> None:
        self._table = table
        self._clock = clock
        self._capacity = capacity

    def refusal(self, priority: Priority) -> Admission | None:
        """Return the refusal of a caller of this priority, or None while there is a place."""
        with suppress(TransientError, ConditionFailedError):
            known, now_ns = self._stands(), math.floor(self._clock.now() * NANOS)
            if is_shed(known.running(now_ns), capacity=self._capacity, priority=priority):
                return Admission(refused_by=LimitName.OVERLOAD, retry_after_seconds=SHED_SECONDS)
            if lost := known.lost(now_ns)[:_PRUNED_AT_ONCE]:
                self._table.write(Update(key=_KEY, change=_removal(lost), condition="attribute_exists(#slots)"))
        return None

    def enter(self, run: Run) -> None:
        """Count the run until its end or its deadline."""
        until = math.ceil(run.deadline)
        more = Update(
            key=_KEY,
            change=f"SET #slots.#{run.id} = :slot",
            condition="attribute_exists(#slots)",
            values={":slot": [until]},
        )
        first = Update(
            key=_KEY,
            change="SET #slots = :slots",
            condition="attribute_not_exists(#slots)",
            values={":slots": {run.id: [until]}},
        )
        with suppress(TransientError):
            for update in (more, first, more):
                with suppress(ConditionFailedError):
                    self._table.write(update)
                    return

    def leave(self, run: Run) -> None:
        """Count the run no more."""
        with suppress(TransientError, ConditionFailedError):
            self._table.write(Update(key=_KEY, change=_removal([run.id]), condition="attribute_exists(#slots)"))

    def _stands(self) -> LimitsRow:
        return row(self._table.get(_KEY) or {}, LimitsRow)


def _removal(run_ids: list[str]) -> str:
    return "REMOVE " + ", ".join(f"#slots.#{run_id}" for run_id in run_ids)
