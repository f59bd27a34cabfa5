"""Which log lines of an environment's functions are of interest: of one step, of one run, since when."""

from collections.abc import Iterator, Sequence
from typing import Any

from client.aws import LogsClient
from client.errors import UsageError


def log_groups(client: LogsClient, environment: str, *, step: str | None = None) -> list[str]:
    """Return the names of the functions' log groups; `UsageError` where the environment has none such."""
    names = [
        group["logGroupName"]
        for page in _pages(client.describe_log_groups)
        for group in page["logGroups"]
        if f"plinth-{environment}-" in group["logGroupName"]
    ]
    wanted = [name for name in names if f"/{step}Log" in name or f"-{step}Log" in name] if step else names
    if not wanted:
        raise UsageError(f"no log group of {environment} is called {step}: name a step such as CallModel")
    return wanted


def log_lines(
    client: LogsClient, groups: Sequence[str], *, since_ms: int, run_id: str | None = None
) -> list[dict[str, Any]]:
    """Return the lines since then in the order of time; of a run, those that name it."""
    wanted = {"filterPattern": f'"{run_id}"'} if run_id else {}
    found: list[dict[str, Any]] = [
        event
        for group in groups
        for page in _pages(client.filter_log_events, logGroupName=group, startTime=since_ms, **wanted)
        for event in page["events"]
        if run_id is None or run_id in event["message"]
    ]
    return sorted(found, key=lambda event: int(event["timestamp"]))


def insights_query(run_id: str) -> str:
    """Return the query that finds the same lines in CloudWatch Logs Insights."""
    return (
        "fields @timestamp, service, message, outcome, status, duration_ms, retry, request_id, xray_trace_id\n"
        f'| filter run_id = "{run_id}"\n'
        "| sort @timestamp asc"
    )


def _pages(call: Any, **request: object) -> Iterator[Any]:  # noqa: ANN401 - boto3 makes its calls at run time
    page = call(**request)
    yield page
    while page.get("nextToken"):
        page = call(**request, nextToken=page["nextToken"])
        yield page
