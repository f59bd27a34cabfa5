"""`plinth export`: a tenant's or a user's data, in a folder."""

import time
from pathlib import Path
from typing import Annotated

import typer

from client.api import PlinthApi
from client.commands.choices import EnvironmentName, output
from client.environments import LOCAL, environment_named
from client.errors import ExportError, UsageError
from client.exports import RENAMED, saved
from client.records import Export
from plinth.contracts.exporting import DOCUMENT_FOLDERS, ExportState

app = typer.Typer()
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 21_600.0


@app.command(epilog="Examples: plinth export --to mine | plinth export acme --user ada --to ada")
def export(
    tenant: Annotated[
        str | None, typer.Argument(help="Whose; another than your own is for operators.", metavar="[TENANT]")
    ] = None,
    *,
    to: Annotated[Path, typer.Option(help="The folder that the files come into; it must be empty or new.")],
    user: Annotated[str | None, typer.Option(help="Only what belongs to this user.")] = None,
    env: EnvironmentName = LOCAL,
) -> None:
    """Give a tenant its data: documents, conversations, facts, runs, usage and settings, as files with a manifest."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to} is not empty: name a new folder with --to")
    with environment_named(env).api() as api:
        done = _ended(api, api.create_export(tenant=tenant, user=user))
        manifest = saved(api.export_files(done), to)
    counts = ", ".join(f"{count} {folder}" for folder, count in manifest.records.items())
    documents = sum(each.path.startswith(DOCUMENT_FOLDERS) for each in manifest.files)
    told = f"exported to {to}: {documents} files of documents, {counts or 'no records'} [{done.id}]"
    if (to / RENAMED).exists():
        told += f"; some names can't be those of files: {to / RENAMED} tells where these are"
    output().print(told, markup=False, soft_wrap=True)


def _ended(api: PlinthApi, started: Export) -> Export:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    current = started
    while current.state is ExportState.RUNNING and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        current = api.get_export(current)
    if current.state is not ExportState.DONE:
        raise ExportError(f"export {current.id} is {current.state}: ask for it again")
    return current
