"""What users used as CSV: a line for each tenant, day and user, and more for their models and steps."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from itertools import groupby

from plinth.contracts.tenant import Tenant
from plinth.contracts.usage import UserDay
from plinth.money.usage import UsageBy, UsageLine, usage_lines

_HEAD = ("tenant", "day", "user", "kind", *(field.name for field in fields(UsageLine)))


def usage_csv(days: Mapping[Tenant, Iterable[UserDay]]) -> bytes:
    """Return UTF-8 with a head line. `kind` is user, model or step: add up the lines of one kind, never of two."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_HEAD)
    for tenant, own in sorted(days.items(), key=lambda each: each[0].id):
        for (day, user), parts in groupby(sorted(own, key=_day_and_user), key=_day_and_user):
            of_user = list(parts)
            for kind in (UsageBy.USER, UsageBy.MODEL, UsageBy.STEP):
                for line in usage_lines(of_user, kind):
                    rows.writerow((tenant.id, day, _as_text(user), kind, *map(_as_text, asdict(line).values())))
    return text.getvalue().encode()


def _day_and_user(day: UserDay) -> tuple[str, str]:
    return day.day, day.user


def _as_text(value: object) -> object:
    """Return the cell so that no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def without_person(content: bytes, tenant: Tenant, user: str | None) -> bytes:
    """Return the file without the tenant's lines, or with nobody in place of one of its users; else as it is."""
    named = None if user is None else str(_as_text(user))
    before = list(csv.reader(io.StringIO(content.decode())))
    after = [
        [*cells[:2], "(erased)", *cells[3:]] if cells[:1] == [tenant.id] and cells[2] == named else cells
        for cells in before
        if cells[:1] != [tenant.id] or named is not None
    ]
    if after == before:
        return content
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(after)
    return text.getvalue().encode()
