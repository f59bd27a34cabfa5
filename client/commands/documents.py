"""`plinth ingest`, `documents`: documents on their way in, and as they stand."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from client.commands.choices import AsJson, EnvironmentName, output, progress
from client.commands.pricing import agree_on_contexts, micro_usd
from client.display import documents_table, plain
from client.environments import LOCAL, environment_named
from client.errors import UsageError
from client.importing import MOST_FILES, ImportOptions, Listed, import_files, listed
from client.uploading import patiently, source_files, wait_for_documents
from plinth.contracts.importing import ImportFailure, ImportRecord, ImportState
from plinth.contracts.memory import DocumentRecord, DocumentState

app = typer.Typer()
group = typer.Typer(invoke_without_command=True)
app.add_typer(group, name="documents")
Timeout = Annotated[float, typer.Option(min=1, help="How long to wait, in seconds.")]


@app.command(epilog="Examples: plinth ingest manual.pdf notes.md | plinth ingest samples/documents --tag team=docs")
def ingest(  # noqa: PLR0913 - each parameter is an option of the command
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders to take whole.", metavar="PATH...")],
    *,
    env: EnvironmentName = LOCAL,
    tag: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE that marks each; access=LABELS says who may read.")
    ] = None,
    tolerate: Annotated[int, typer.Option(min=0, max=100, help="Stop where more per cent of the files fail.")] = 100,
    wait: Annotated[bool, typer.Option(help="Wait until each document is ready or refused.")] = True,
    context_model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Have this model write a sentence of context per passage.")
    ] = None,
    max_cost: Annotated[float | None, typer.Option(min=0, help="Dollars that contexts may cost at most.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write contexts at the price that is told, unasked.")] = False,
) -> None:
    """Add documents by ones or thousands; the same command again takes up what was interrupted, changed or failed."""
    if context_model is None and (max_cost is not None or yes):
        raise UsageError("--max-cost and --yes are about contexts: name a --context-model too")
    options = ImportOptions(
        metadata=tags_of(tag),
        tolerated_failure_percentage=tolerate,
        wait=wait,
        context_model=context_model,
        max_context_cost_micro_usd=micro_usd(max_cost),
    )
    found = [listed(file) for file in source_files(paths)]
    failures = [each for each in found if isinstance(each, ImportFailure)]
    files = [each for each in found if isinstance(each, Listed)]
    lots = batched(files, MOST_FILES)
    with environment_named(env).api() as api:
        if context_model is not None:
            agree_on_contexts(api, lots, options, yes=yes)
        with Progress(console=progress()) as bar:
            tasks = {name: bar.add_task(name, total=len(files)) for name in ("uploading", "reading and indexing")}
            ended = [
                import_files(api, lot, options, told=lambda name, more: bar.advance(tasks[name], more)) for lot in lots
            ]
    failures += [failure for record in ended for failure in record.failures]
    _tell(ended, failures, of=len(found), wait=wait)


def batched(files: Sequence[Listed], size: int) -> list[Sequence[Listed]]:
    """Return the files in parts of at most that many."""
    return [files[start : start + size] for start in range(0, len(files), size)]


def tags_of(tags: Sequence[str] | None) -> dict[str, str]:
    """Return the metadata that the options say; `UsageError` for one that says no NAME=VALUE, or a name twice."""
    metadata: dict[str, str] = {}
    for each in tags or ():
        name, equals, value = each.partition("=")
        if not equals or name in metadata:
            raise UsageError(f"--tag {each!r}: say NAME=VALUE, each name once")
        metadata[name] = value
    return metadata


def _tell(ended: Sequence[ImportRecord], failures: Sequence[ImportFailure], *, of: int, wait: bool) -> None:
    console = output()
    _tell_refused(console, failures)
    if more := sum(record.failed - len(record.failures) for record in ended):
        console.print(f"... and {more} more")
    ready = sum(record.ready + record.unchanged for record in ended)
    unchanged = sum(record.unchanged for record in ended)
    told = f"{ready} of {of} documents are ready" if wait else f"{of - len(failures)} of {of} documents are sent"
    console.print(told + (f", {unchanged} of them unchanged" if unchanged else ""))
    for record in ended:
        if record.state is ImportState.STOPPED:
            console.print(f"import {record.import_id} stopped: the same command takes it up again", markup=False)
    if (wait and ready < of) or failures:
        raise typer.Exit(1)


def _tell_refused(console: Console, refused: Sequence[ImportFailure | DocumentRecord]) -> None:
    for each in refused:
        line = f"refused: {plain(each.name)}: {plain(each.message or '')} [{each.reason}]"
        console.print(line, markup=False, soft_wrap=True)


@group.callback(epilog="Examples: plinth documents | plinth documents --refused | plinth documents redrive --all")
def documents(
    context: typer.Context,
    *,
    refused: Annotated[bool, typer.Option("--refused", help="Only those that could not be read, and why.")] = False,
    env: EnvironmentName = LOCAL,
    json: AsJson = False,
) -> None:
    """List your documents and where each stands."""
    if context.invoked_subcommand is not None:
        return
    with environment_named(env).api() as api:
        found = [each for each in api.documents() if not refused or each.state is DocumentState.REFUSED]
    if json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        output().print(documents_table(found))


@group.command(epilog="Examples: plinth documents redrive guide.docx notes/a.md | plinth documents redrive --all")
def redrive(
    names: Annotated[list[str] | None, typer.Argument(help="Names or ids of documents.", metavar="[NAME...]")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every refused document.")] = False,
    env: EnvironmentName = LOCAL,
    timeout: Timeout = 900.0,
) -> None:
    """Try refused documents again, from the bucket, and wait until each is ready or refused anew."""
    if every == bool(names):
        raise UsageError("name the documents, or pass --all for every refused one")
    with environment_named(env).api() as api, Progress(console=progress()) as bar:
        taken = chosen(list(api.documents()), names or [])
        again = [patiently(partial(api.redrive_document, each.document_id), repeatable=False) for each in taken]
        ended = wait_for_documents(api, again, timeout_seconds=timeout)
        told = bar.track(ended, total=len(again), description="reading and indexing")
        refused = [each for each in told if each.state is DocumentState.REFUSED]
    console = output()
    _tell_refused(console, refused)
    console.print(f"{len(taken) - len(refused)} of {len(taken)} documents are ready")
    if refused:
        raise typer.Exit(1)


def chosen(documents: list[DocumentRecord], names: list[str]) -> list[DocumentRecord]:
    """Return the documents of these names or ids, or without any every refused one."""
    if not names:
        return [each for each in documents if each.state is DocumentState.REFUSED]
    known = {key: each for each in documents for key in (each.name, each.document_id)}
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"there is no document {', '.join(missing)}: see `plinth documents`")
    return [known[name] for name in names]
