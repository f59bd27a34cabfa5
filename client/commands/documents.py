"""`plinth ingest`, `documents`: documents on their way in, and as they stand."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress

from client.api import PlinthApi
from client.commands.choices import AsJson, EnvironmentName, output, progress
from client.display import documents_table, plain
from client.environments import LOCAL, environment_named
from client.errors import ApiError, UsageError
from client.uploading import SourceFile, patiently, source_files, wait_for_documents
from plinth.contracts.memory import DocumentRecord, DocumentState

app = typer.Typer()
group = typer.Typer(invoke_without_command=True)
app.add_typer(group, name="documents")
_NOT_FOUND = 404
_ABOUT_THE_FILE = (400, 413)
_POLL_SECONDS = 0.5
Timeout = Annotated[float, typer.Option(min=1, help="How long to wait, in seconds.")]


@app.command(epilog="Examples: plinth ingest manual.pdf notes.md | plinth ingest samples/documents --no-wait")
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders to take whole.", metavar="PATH...")],
    *,
    env: EnvironmentName = LOCAL,
    wait: Annotated[bool, typer.Option(help="Wait until each document is ready or refused.")] = True,
    timeout: Timeout = 900.0,
) -> None:
    """Add documents: PDF, Word, HTML, Markdown, text, CSV, JSON. A name that is there already gets a new version."""
    files, outcome = source_files(paths), _Outcome()
    with environment_named(env).api() as api, Progress(console=progress()) as bar:
        _upload(api, files, outcome, bar)
        if wait:
            _await(api, outcome, bar, timeout)
    console = output()
    for line in outcome.refused:
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"{len(files) - len(outcome.refused)} of {len(files)} documents are {'ready' if wait else 'sent'}")
    if outcome.refused:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Outcome:
    """What became of the files until now."""

    uploaded: dict[str, DocumentRecord] = field(default_factory=dict[str, DocumentRecord])
    refused: list[str] = field(default_factory=list[str])

    def refuse(self, name: str, *, reason: str | None, message: str | None) -> None:
        """Keep the line that says why a file was refused."""
        self.refused.append(f"refused: {plain(name)}: {message} [{reason}]")


def _upload(api: PlinthApi, files: list[SourceFile], outcome: _Outcome, bar: Progress) -> None:
    task = bar.add_task("uploading", total=len(files))
    for file in files:
        try:
            document = patiently(partial(api.add_document, file.path, name=file.name))
        except ApiError as error:
            if error.status not in _ABOUT_THE_FILE:
                raise
            outcome.refuse(file.name, reason=error.code, message=error.detail)
        else:
            outcome.uploaded[document.document_id] = document
        bar.advance(task)


def _await(api: PlinthApi, outcome: _Outcome, bar: Progress, timeout: float) -> None:
    task = bar.add_task("reading and indexing", total=len(outcome.uploaded))
    for document in wait_for_documents(api, list(outcome.uploaded.values()), timeout_seconds=timeout):
        if document.state is DocumentState.REFUSED:
            outcome.refuse(document.name, reason=document.reason, message=document.message)
        bar.advance(task)


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
    outcome = _Outcome()
    with environment_named(env).api() as api, Progress(console=progress()) as bar:
        taken = chosen(list(api.documents()), names or [])
        for document in taken:
            outcome.uploaded[document.document_id] = patiently(partial(api.redrive_document, document.document_id))
        _await(api, outcome, bar, timeout)
    console = output()
    for line in outcome.refused:
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"{len(taken) - len(outcome.refused)} of {len(taken)} documents are ready")
    if outcome.refused:
        raise typer.Exit(1)


def chosen(documents: list[DocumentRecord], names: list[str]) -> list[DocumentRecord]:
    """Return the documents of these names or ids, or without any every refused one."""
    if not names:
        return [each for each in documents if each.state is DocumentState.REFUSED]
    known = {key: each for each in documents for key in (each.name, each.document_id)}
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"there is no document {', '.join(missing)}: see `plinth documents --refused`")
    return [known[name] for name in names]
