"""export_usage: on the second of a month, write what each tenant used in the month before as CSV into a bucket."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from plinth.access.log_lines import logger_of
from plinth.money.usage_csv import usage_csv
from plinth.wiring import Services

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

_services = Services()


def handler(event: dict[str, Any], _context: object) -> dict[str, str | int]:
    """Write `usage/<month>.csv`, the same again when it is called again; {"month": "YYYY-MM"} names another month."""
    month = event.get("month") or _month_before(_services.clock.now())
    if not _MONTH.fullmatch(month):
        raise ValueError(f"month {month!r}: write YYYY-MM")
    days = {
        tenant: list(_services.usage.days(tenant, first=f"{month}-01", last=f"{month}-31"))
        for tenant in _services.tenant_list.all()
    }
    key = f"usage/{month}.csv"
    _services.exports.put(key, usage_csv(days))
    logger_of("ExportUsage").info("exported", month=month, tenants=len(days))
    return {"key": key, "tenants": len(days)}


def _month_before(now: float) -> str:
    first = datetime.fromtimestamp(now, UTC).replace(day=1)
    return (first - timedelta(days=1)).strftime("%Y-%m")
