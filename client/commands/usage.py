"""`plinth usage`: what was used, by day, user, model or step of one's own tenant, or by tenant for an operator."""

from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from client.commands.choices import AsJson, EnvironmentName, output
from client.display import usage_table
from client.environments import LOCAL, environment_named
from client.records import UsageReport
from client.tenants_usage import usage_by_tenant

app = typer.Typer()


class By(StrEnum):
    """What a line is about."""

    DAY = "day"
    USER = "user"
    MODEL = "model"
    STEP = "step"
    TENANT = "tenant"


@app.command(
    epilog="Examples: plinth usage --by model | plinth usage --from 2026-11-01 --to 2026-11-30 --json | jq .total"
)
def usage(
    *,
    by: Annotated[By, typer.Option(help="What a line is about; `tenant` reads the tables with your AWS rights.")] = (
        By.DAY
    ),
    first_day: Annotated[
        str | None, typer.Option("--from", help="First day, YYYY-MM-DD in UTC; the month's first.", metavar="DAY")
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--to", help="Last day, YYYY-MM-DD in UTC; today.", metavar="DAY")
    ] = None,
    env: EnvironmentName = LOCAL,
    json: AsJson = False,
) -> None:
    """Print what runs used and cost, from their receipts: a line each, and the sum."""
    report = _report(env, by, first_day=first_day, last_day=last_day)
    if json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    console = output()
    console.print(usage_table(report.lines, report.total, by=report.by))
    console.print(f"runs that ended from {report.first_day} to {report.last_day}, UTC", markup=False)


def _report(env: str, by: By, *, first_day: str | None, last_day: str | None) -> UsageReport:
    environment = environment_named(env)
    if by is By.TENANT:
        return usage_by_tenant(environment, first_day=first_day, last_day=last_day)
    with environment.api() as api:
        return api.usage(by=by, first_day=first_day, last_day=last_day)
