"""`plinth trace`: the steps of one run as a waterfall, from the run's own log."""

from typing import Annotated

import typer

from client.answers import collect
from client.commands.choices import EnvironmentName, output
from client.display import plain, receipt_lines, steps_table
from client.environments import LOCAL, environment_named
from client.errors import ClientError
from plinth.contracts.events import LoggedEvent, Reset, TextDelta

app = typer.Typer()


@app.command(epilog="Example: plinth trace run_01m84xf42ztg0nd277beqf712a")
def trace(
    run_id: Annotated[str, typer.Argument(help="The id that `plinth ask` prints.", metavar="RUN")],
    *,
    env: EnvironmentName = LOCAL,
) -> None:
    """Show what a run did and when; one that is still going is followed to its end."""
    with environment_named(env).api() as api:
        events = list(api.events(run_id))
    if not events:
        raise ClientError(f"nothing is left of the log of run {run_id}: it is kept for a time only")
    answer, console = collect(events), output()
    console.print(steps_table(answer.steps))
    console.print("")
    for line in _milestones(events):
        console.print(line, markup=False)
    for line in receipt_lines(answer.receipt) if answer.receipt else []:
        console.print(line, markup=False, soft_wrap=True)
    if answer.ended:
        why = f": {plain(answer.ended.message or '')} [{answer.ended.reason}]" if answer.ended.reason else ""
        console.print(f"{answer.ended.status}{why}", markup=False, soft_wrap=True)


def _milestones(events: list[LoggedEvent]) -> list[str]:
    begin = events[0].at
    first = next((each for each in events if isinstance(each.event, TextDelta)), None)
    resets = [each for each in events if isinstance(each.event, Reset)]
    lines = [f"first text {first.at - begin:.2f} s after the run was accepted"] if first else []
    lines += [f"text dropped after {each.at - begin:.2f} s" for each in resets]
    return [*lines, f"ended {events[-1].at - begin:.2f} s after the run was accepted"]
