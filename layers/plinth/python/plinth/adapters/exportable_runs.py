"""Which runs are told, each whole with its log; and what users used, day by day."""

from contextlib import suppress
from urllib.parse import unquote

import msgspec

from plinth.adapters.dynamo_rows import Row, Rows
from plinth.adapters.erasable_rows import PAGE_ROWS, is_own, key_in, text_of
from plinth.adapters.exportable_rows import is_of
from plinth.contracts.exporting import ExportedPage, Subject
from plinth.contracts.runs import RunRecord
from plinth.errors import NotFoundError
from plinth.ports.runs import RunLog, Runs

_NOT_AMOUNTS = frozenset({"pk", "sk", "expires_at"})


class ExportableRuns:
    """`ExportableStore` of the table of runs: what a run's page has of it; its contents are made of other stores."""

    name = "runs"

    def __init__(self, *, rows: Rows, runs: Runs, log: RunLog) -> None:
        self._rows = rows
        self._runs = runs
        self._log = log

    def export(self, subject: Subject, after: str | None) -> ExportedPage:
        """Return the page's runs that have not expired, and its days."""
        found, behind = self._rows.page(key_in(after), limit=PAGE_ROWS)
        own = [each for each in found if is_own(subject.tenant, each)]
        days = [_day(each) for each in own if str(each["pk"]).endswith("#USAGE")]
        records = {
            "runs": [told for each in own if each["sk"] == "RUN" for told in self._run(subject, each)],
            "usage": [day for day in days if is_of(subject, str(day["user"]))],
        }
        return ExportedPage(records={name: told for name, told in records.items() if told}, after=text_of(behind))

    def _run(self, subject: Subject, row: Row) -> list[dict[str, object]]:
        tenant, run_id = subject.tenant, str(row["pk"]).partition("#")[2]
        with suppress(NotFoundError):
            record: RunRecord = self._runs.get(tenant, run_id)
            if is_of(subject, record.request.user):
                return [{"run": record, "events": self._log.read(tenant, run_id, after=0)}]
        return []


def _day(row: Row) -> dict[str, object]:
    day, user, _ = str(row["sk"]).split("#")
    amounts = {name: amount for name, amount in row.items() if name not in _NOT_AMOUNTS}
    return {"day": day, "user": unquote(user), **msgspec.to_builtins(amounts)}
