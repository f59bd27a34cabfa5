"""`plinth trace`: the steps of one run as a waterfall, from the run's own log."""

from typing import Annotated

import typer

from client.commands.choices import EnvironmentName, output
from client.display import plain, receipt_lines
from client.environments import LOCAL, environment_named
from client.waterfall import steps_table
from plinth.contracts.traces import Trace

app = typer.Typer()


@app.command(epilog="Example: plinth trace run_01m84xf42ztg0nd277beqf712a")
def trace(
    run_id: Annotated[str, typer.Argument(help="The id that `plinth ask` prints.", metavar="RUN")],
    *,
    env: EnvironmentName = LOCAL,
) -> None:
    """Show what a run did and when; one that is still going is followed to its end."""
    with environment_named(env).api() as api:
        for _ in api.events(run_id):
            pass
        told = api.trace(run_id)
    console = output()
    console.print(steps_table(told.steps))
    console.print("")
    for line in (*_milestones(told), *(receipt_lines(told.receipt) if told.receipt else [])):
        console.print(line, markup=False, soft_wrap=True)
    why = f": {plain(told.failure.message)} [{told.failure.reason}]" if told.failure else ""
    console.print(f"{told.status}{why}", markup=False, soft_wrap=True)


def _milestones(told: Trace) -> list[str]:
    first = told.first_text_ms
    return [
        *(f"execution {plain(each.execution)}" for each in told.executions),
        *([f"first text after {first / 1000:.2f} s"] if first is not None else []),
        *(f"text dropped after {each.at_ms / 1000:.2f} s: {plain(each.reason)}" for each in told.resets),
        f"{told.work_ms / 1000:.2f} s of work, {told.wait_ms / 1000:.2f} s of waiting",
    ]
