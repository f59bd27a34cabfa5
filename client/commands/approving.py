"""`plinth approve`: say what becomes of a tool call that a run waits with, after a look at its arguments."""

import sys
from typing import Annotated, Literal

import typer
from rich.console import Console

from client.api import PlinthApi
from client.commands.choices import EnvironmentName, output, progress
from client.display import plain
from client.environments import LOCAL, environment_named
from client.errors import ApiError, UsageError
from plinth.contracts.approvals import Approval
from plinth.contracts.events import ApprovalNeeded

app = typer.Typer()
Word = Literal["approve", "deny"]


@app.command(epilog="Examples: plinth approve RUN 2-1 | plinth approve RUN 2-1 --deny | plinth approve RUN 2-1 --yes")
def approve(
    run_id: Annotated[str, typer.Argument(help="The id of the run that waits.", metavar="RUN")],
    call: Annotated[str, typer.Argument(help="The call, as the run names it: turn-number.")],
    *,
    deny: Annotated[bool, typer.Option("--deny", help="Let the call not be made; the run goes on.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve what is shown without asking again.")] = False,
    env: EnvironmentName = LOCAL,
) -> None:
    """Approve, or deny, a tool call that a run waits with."""
    with environment_named(env).api() as api:
        waiting = {each.call: each for each in api.get_run(run_id).approvals}
        asked = waiting.get(call)
        if asked is None:
            having = f"it asked about {', '.join(waiting)}" if waiting else "it asked about none"
            raise UsageError(f"run {run_id} asked nobody about call {plain(call)}: {having}")
        show_call(output(), asked)
        if not deny and not yes and not typer.confirm("Approve this call?"):
            output().print("nothing was decided", markup=False)
            raise typer.Exit(1)
        decided = api.decide(run_id, call, asked.arguments_sha256, "deny" if deny else "approve")
    output().print(f"{call} is decided: {decided.decision}, by {plain(decided.user)}", markup=False)


def show_call(console: Console, asked: Approval | ApprovalNeeded) -> None:
    """Print the tool and its arguments as they would be given."""
    console.print(f"the model wants to call {plain(asked.tool)} with", markup=False, soft_wrap=True)
    console.print(plain(asked.arguments), markup=False, soft_wrap=True)


def ask_person(api: PlinthApi, run_id: str, asked: ApprovalNeeded, *, env: str, interactive: bool) -> None:
    """Tell the person what the run waits for and how to decide, and let one at a terminal do it at once."""
    console = progress()
    console.print("")
    show_call(console, asked)
    elsewhere = "" if env == LOCAL else f" --env {env}"
    how = f"plinth approve {run_id} {asked.call}{elsewhere}"
    if not (interactive and sys.stdin.isatty()):
        console.print(f"the run waits five minutes for you: {how} (or with --deny)", markup=False, soft_wrap=True)
        return
    try:
        word: Word = "approve" if typer.confirm("Approve this call?", err=True) else "deny"
    except typer.Abort as interrupted:
        raise KeyboardInterrupt from interrupted
    try:
        api.decide(run_id, asked.call, asked.arguments_sha256, word)
    except ApiError as error:
        console.print(f"not decided: {plain(str(error))}", markup=False, soft_wrap=True)
