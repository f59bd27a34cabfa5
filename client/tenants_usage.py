"""What each tenant of an environment used, read from its tables with the caller's own AWS rights."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from client.environments import Environment
from client.errors import UsageError
from client.records import UsageReport
from plinth.contracts.usage import UserDay
from plinth.money.usage import usage_total

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def usage_by_tenant(environment: Environment, *, first_day: str | None, last_day: str | None) -> UsageReport:
    """Return a line per tenant that the environment knows, for days of UTC; by default this month's."""
    last = _day("--to", last_day) if last_day else datetime.now(UTC).date()
    first = _day("--from", first_day) if first_day else last.replace(day=1)
    dynamodb, runs = environment.aws.dynamodb(), environment.output("RunsTable")
    days = {
        tenant: list(_days(dynamodb, runs, tenant, first=first, last=last))
        for tenant in sorted(_tenants(dynamodb, environment.output("TenantsTable")))
    }
    return UsageReport(
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        by="tenant",
        lines=tuple(usage_total(own, tenant) for tenant, own in days.items()),
        total=usage_total((day for own in days.values() for day in own), "total"),
    )


def _tenants(dynamodb: "DynamoDBClient", table: str) -> Iterator[str]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, FilterExpression="sk = :tenant", ExpressionAttributeValues={":tenant": {"S": "TENANT"}}
    )
    for page in pages:
        yield from (item["pk"].get("S", "").removeprefix("TENANT#") for item in page["Items"])


def _days(dynamodb: "DynamoDBClient", table: str, tenant: str, *, first: date, last: date) -> Iterator[UserDay]:
    """Yield the rows `<tenant>#USAGE` / `<day>#<user>#<part>`, whose numbers are amounts."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": f"{tenant}#USAGE"},
            ":first": {"S": f"{first.isoformat()}#"},
            ":last": {"S": f"{last.isoformat()}#~"},
        },
    )
    for page in pages:
        for item in page["Items"]:
            day, user, _ = item["sk"].get("S", "").split("#")
            numbers = {name: int(value["N"]) for name, value in item.items() if "N" in value and name != "expires_at"}
            yield UserDay(day=day, user=user, amounts=numbers)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: write a day as YYYY-MM-DD") from error
