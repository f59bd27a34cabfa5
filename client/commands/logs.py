"""`plinth logs`: what the functions of an environment have logged, in the order of time."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from client.aws import LogsClient
from client.commands.choices import EnvironmentName, output
from client.display import plain
from client.environments import LOCAL, environment_named
from client.errors import UsageError

app = typer.Typer()
_POLL_SECONDS = 2.0


@app.command(epilog="Examples: plinth logs --step CallModel --follow | plinth logs --minutes 60")
def logs(
    *,
    env: EnvironmentName = LOCAL,
    step: Annotated[str | None, typer.Option(help="Only this step, such as CallModel.")] = None,
    minutes: Annotated[float, typer.Option(min=0, help="How far to look back.")] = 15.0,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the log lines of the functions: names, times and outcomes, never questions or answers."""
    client, console = environment_named(env).aws.logs(), output()
    groups = _groups(client, env, step)
    since_ms, seen = int((time.time() - minutes * 60) * 1000), set[tuple[int, str, str]]()
    while True:
        for event in _events(client, groups, since_ms):
            line = (event["timestamp"], event.get("logStreamName", ""), event["message"])
            if line not in seen:
                seen.add(line)
                since_ms = max(since_ms, event["timestamp"])
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                console.print(f"{at:%H:%M:%S} {plain(event['message']).rstrip()}", markup=False, soft_wrap=True)
        if not follow:
            return
        time.sleep(_POLL_SECONDS)


def _groups(client: LogsClient, environment: str, step: str | None) -> list[str]:
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


def _events(client: LogsClient, groups: list[str], since_ms: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        event
        for group in groups
        for page in _pages(client.filter_log_events, logGroupName=group, startTime=since_ms)
        for event in page["events"]
    ]
    return sorted(found, key=lambda event: int(event["timestamp"]))


def _pages(call: Any, **request: object) -> Iterator[Any]:  # noqa: ANN401 - boto3 makes its calls at run time
    page = call(**request)
    yield page
    while page.get("nextToken"):
        page = call(**request, nextToken=page["nextToken"])
        yield page
