"""`plinth logs`: what the functions of an environment have logged, in the order of time."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from client.commands.choices import EnvironmentName, output
from client.display import plain
from client.environments import LOCAL, environment_named
from client.errors import UsageError
from client.log_lines import insights_query, log_groups, log_lines
from plinth.access.run_ids import begun_at, is_run_id

app = typer.Typer()
_POLL_SECONDS = 2.0


@app.command(
    epilog="Examples: plinth logs --step CallModel --follow | plinth logs --minutes 60 | plinth logs --run RUN"
)
def logs(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    env: EnvironmentName = LOCAL,
    step: Annotated[str | None, typer.Option(help="Only this step, such as CallModel.")] = None,
    run: Annotated[str | None, typer.Option(help="Only lines of this run, since it was accepted.")] = None,
    minutes: Annotated[float, typer.Option(min=0, help="How far to look back, without --run.")] = 15.0,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = False,
    query: Annotated[bool, typer.Option(help="With --run: print it as a CloudWatch Logs Insights query.")] = False,
) -> None:
    """Print the log lines of the functions: names, times and outcomes, never questions or answers."""
    if run is not None and not is_run_id(run):
        raise UsageError(f"{run} is no run: use the id that `plinth ask` prints")
    if query and run is None:
        raise UsageError("--query is for the lines of one run: name it with --run")
    client, console = environment_named(env).aws.logs(), output()
    groups = log_groups(client, env, step=step)
    if query and run is not None:
        console.print(
            "\n".join([insights_query(run), "", "in these log groups:", *groups]), markup=False, soft_wrap=True
        )
        return
    since_ms = int((begun_at(run) if run else time.time() - minutes * 60) * 1000)
    seen = set[tuple[int, str, str]]()
    while True:
        lines = [line for line in log_lines(client, groups, since_ms=since_ms, run_id=run) if _key(line) not in seen]
        show_lines(lines, console)
        seen |= {_key(line) for line in lines}
        since_ms = max([since_ms, *(line["timestamp"] for line in lines)])
        if not follow:
            return
        time.sleep(_POLL_SECONDS)


def show_lines(lines: list[dict[str, Any]], console: Console) -> None:
    """Print log lines with the second of each."""
    for line in lines:
        at = datetime.fromtimestamp(line["timestamp"] / 1000, UTC)
        console.print(f"{at:%H:%M:%S} {plain(line['message']).rstrip()}", markup=False, soft_wrap=True)


def _key(line: dict[str, Any]) -> tuple[int, str, str]:
    return line["timestamp"], line.get("logStreamName", ""), line["message"]
