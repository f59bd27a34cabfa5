"""`plinth trace`: the steps of one run as a waterfall, from the run's own log; and what else is known of it."""

from typing import Annotated

import msgspec
import typer

from client.commands.choices import EnvironmentName, output
from client.commands.logs import show_lines
from client.display import plain, receipt_lines
from client.environments import LOCAL, environment_named
from client.log_lines import log_groups, log_lines
from client.records import Run
from client.waterfall import waterfall
from plinth.contracts.events import ApprovalNeeded
from plinth.contracts.runs import RunStatus
from plinth.contracts.traces import RunContents, Trace, TracedApproval
from plinth.tracing.otlp import otlp_json

app = typer.Typer()


@app.command(epilog="Examples: plinth trace RUN | plinth trace RUN --logs | plinth trace RUN --otel > run.json")
def trace(
    run_id: Annotated[str, typer.Argument(help="The id that `plinth ask` prints.", metavar="RUN")],
    *,
    env: EnvironmentName = LOCAL,
    logs: Annotated[bool, typer.Option("--logs", help="Print the functions' log lines of the run too.")] = False,
    contents: Annotated[bool, typer.Option("--contents", help="Print what its steps handed on, as JSON.")] = False,
    otel: Annotated[bool, typer.Option("--otel", help="Print nothing but the trace as OTLP's JSON.")] = False,
) -> None:
    """Show what a run did and when; one that is still going is followed to its end, or until it waits for a person."""
    environment = environment_named(env)
    with environment.api() as api:
        for logged in api.events(run_id):
            if isinstance(logged.event, ApprovalNeeded) and _waits(api.get_run(run_id)):
                break
        told = api.trace(run_id)
        kept = api.contents(run_id) if contents else None
    if otel:
        typer.echo(msgspec.json.encode(otlp_json(told, environment=environment.name)).decode())
        return
    _show(told, kept)
    if logs:
        client = environment.aws.logs()
        since_ms = int(told.began_at * 1000) - 1000
        output().print("")
        show_lines(log_lines(client, log_groups(client, env), since_ms=since_ms, run_id=run_id), output())


def _show(told: Trace, kept: RunContents | None) -> None:
    console = output()
    console.print(waterfall(told.steps))
    console.print("")
    for line in (*_milestones(told), *(receipt_lines(told.receipt) if told.receipt else [])):
        console.print(line, markup=False, soft_wrap=True)
    why = f": {plain(told.failure.message)} [{told.failure.reason}]" if told.failure else ""
    console.print(f"{told.status}{why}", markup=False, soft_wrap=True)
    if kept:
        text = msgspec.json.format(msgspec.json.encode(kept), indent=2).decode()
        console.print(f"\n{plain(text)}", markup=False, soft_wrap=True)


def _waits(run: Run) -> bool:
    return run.status is RunStatus.AWAITING_APPROVAL


def _approval_line(each: TracedApproval) -> str:
    what = f"{plain(each.tool)} ({each.call}, {each.arguments_sha256[:12]})"
    asked = f"asked a person about {what} after {each.asked_ms / 1000:.2f} s"
    if each.decision is None or each.decided_ms is None:
        return f"{asked}: nobody has decided yet"
    by = f" by {plain(each.user)} with key {each.key_id}" if each.user else ""
    return f"{asked}: {each.decision}{by} after {each.decided_ms / 1000:.2f} s"


def _milestones(told: Trace) -> list[str]:
    first = told.first_text_ms
    return [
        *(f"execution {plain(each.execution)}" for each in told.executions),
        *([f"first text after {first / 1000:.2f} s"] if first is not None else []),
        *map(_approval_line, told.approvals),
        *(f"text dropped after {each.at_ms / 1000:.2f} s: {plain(each.reason)}" for each in told.resets),
        f"{told.work_ms / 1000:.2f} s of work, {told.wait_ms / 1000:.2f} s of waiting",
    ]
