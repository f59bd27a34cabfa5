"""What users used, read off the runs in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from plinth.contracts.runs import ModelCost, Run
from plinth.contracts.tenant import Tenant
from plinth.contracts.usage import UserDay
from plinth.money.usage import usage_of, usage_of_call, usage_of_contexts
from tests.fakes.runs import FakeRuns


class FakeUsage:
    """`UsageBook` over a `FakeRuns`: each ended run is a part of its user's day."""

    def __init__(self, runs: FakeRuns) -> None:
        self._runs = runs
        self._counted: dict[tuple[Tenant, str], UserDay] = {}

    def count_calls(self, run: Run, user: str, calls: Sequence[ModelCost], *, at: float) -> None:
        day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
        made = UserDay(day=day, user=user or "(bucket)", amounts=usage_of_contexts(calls))
        self._counted.setdefault((run.tenant, run.id), made)

    def days(self, tenant: Tenant, *, first: str, last: str) -> Iterator[UserDay]:
        days = [each for (owner, _), each in self._counted.items() if owner == tenant]
        with self._runs.lock:
            for (owner, _), row in self._runs.rows.items():
                if owner == tenant and row.record.ended_at is not None:
                    day = datetime.fromtimestamp(row.record.ended_at, UTC).strftime("%Y-%m-%d")
                    used = usage_of([logged.event for logged in row.events])
                    used += usage_of_call(row.later) if row.later else Counter()
                    days.append(UserDay(day=day, user=row.record.request.user, amounts=used))
        yield from sorted((each for each in days if first <= each.day <= last), key=lambda each: each.day)
