"""The route of usage: what the caller's tenant used between two days, by day, user, model or step."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from plinth.api.exchange import CurrentExchange
from plinth.errors import InvalidFieldError
from plinth.money.usage import UsageBy, UsageLine, usage_lines, usage_total

_MOST_DAYS = 366
_DAY = r"^\d{4}-\d{2}-\d{2}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What was used by runs that ended on these UTC days, both included. Amounts are micro- and nano-dollars."""

    first_day: str
    last_day: str
    by: UsageBy
    lines: list[UsageLine]
    total: UsageLine


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the route of usage."""
    resolver.get("/v1/usage", summary="Read what was used", tags=["usage"], operation_id="get_usage")(get_usage)


def get_usage(
    exchange: CurrentExchange,
    first_day: Annotated[str | None, Query(pattern=_DAY, description="YYYY-MM-DD, UTC; the month's first day.")] = None,
    last_day: Annotated[str | None, Query(pattern=_DAY, description="YYYY-MM-DD, UTC; today.")] = None,
    by: Annotated[UsageBy, Query(description="What each line is about.")] = UsageBy.DAY,
) -> UsageReport:
    """Return what the tenant's runs used: by default this month's, a line a day, and their sum."""
    today = datetime.fromtimestamp(exchange.services.clock.now(), UTC).date()
    last = _day("last_day", last_day) if last_day else today
    first = _day("first_day", first_day) if first_day else last.replace(day=1)
    if not timedelta() <= last - first < timedelta(days=_MOST_DAYS):
        raise InvalidFieldError("first_day", f"must be on or before last_day, by at most {_MOST_DAYS - 1} days")
    days = list(exchange.services.usage.days(exchange.caller.tenant, first=first.isoformat(), last=last.isoformat()))
    return UsageReport(
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        by=by,
        lines=usage_lines(days, by),
        total=usage_total(days, "total"),
    )


def _day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidFieldError(field, f"{text} is no day of the calendar: write YYYY-MM-DD") from error
