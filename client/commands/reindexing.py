"""`plinth reindex`: fill a new search index beside the one in use, switch to it, and go back."""

from typing import Annotated

import msgspec
import typer

from client.commands.choices import AsJson, EnvironmentName, output
from client.environments import LOCAL, environment_named
from client.reindexing import Reindexing, told

app = typer.Typer()
group = typer.Typer(help="Bring all documents into a new search index while searches go on.", no_args_is_help=True)
app.add_typer(group, name="reindex")


@group.callback()
def reindex() -> None:
    """Bring all documents into a new search index while searches go on."""


@group.command(epilog="Example: plinth reindex start --env prod")
def start(
    *,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the passages; don't read the sources again.")] = False,
    env: EnvironmentName = LOCAL,
) -> None:
    """Fill an index as the deployed code makes them now, then let searches read it; or take up one that stopped.

    Every source is read and split again, texts that stayed the same keep their vectors. What can't be read is copied.
    """
    started = _reindexing(env).start(reread=not copy)
    output().print(f"reindex {started} goes on by itself: `plinth reindex status`", markup=False, soft_wrap=True)


@group.command(epilog="Example: plinth reindex status --json")
def status(*, json: AsJson = False, env: EnvironmentName = LOCAL) -> None:
    """Say where the reindex stands, or how the last one ended."""
    reindexing = _reindexing(env)
    found = reindexing.current()
    if json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    sentence = told(found, is_running=reindexing.is_running()) if found else "there was no reindex yet"
    output().print(sentence, markup=False, soft_wrap=True)


@group.command(epilog="Example: plinth reindex cancel")
def cancel(*, env: EnvironmentName = LOCAL) -> None:
    """Let searches read the old index, whether they have been switched or not, and remove the new one."""
    cancelled = _reindexing(env).cancel()
    output().print(
        f"reindex {cancelled.id} is cancelled: searches read {cancelled.source}", markup=False, soft_wrap=True
    )


def _reindexing(env: str) -> Reindexing:
    environment = environment_named(env)
    return Reindexing(
        environment.aws.dynamodb(),
        environment.aws.step_functions(),
        table=environment.output("DocumentsTable"),
        machine=environment.output("ReindexMachineArn"),
    )
