"""`plinth sync`: prefixes of other buckets whose objects are a tenant's documents; for operators."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from client.commands.choices import AsJson, EnvironmentName, output
from client.commands.documents import tags_of
from client.display import plain
from client.environments import LOCAL, environment_named
from client.errors import UsageError
from client.syncs import NewSync, SyncStanding

app = typer.Typer()
group = typer.Typer(help="Let objects of another bucket be a tenant's documents.", no_args_is_help=True)
app.add_typer(group, name="sync")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_Id = Annotated[str, typer.Argument(help="As `plinth sync list` has it.", metavar="ID")]


@group.callback()
def sync() -> None:
    """Let objects of another bucket be a tenant's documents, and go with them."""


@group.command(epilog="Example: plinth sync add s3://team-documents/handbook/ --tenant acme --pattern {department}/")
def add(  # noqa: PLR0913 - each parameter is an option of the command
    source: Annotated[str, typer.Argument(help="A bucket, and a folder of it.", metavar="s3://BUCKET/PREFIX")],
    *,
    tenant: Annotated[str, typer.Option(help="Whose documents they are.")],
    every: Annotated[str, typer.Option(help="How often to look: 30m, 1h, 7d; no oftener than the schedule.")] = "1h",
    pattern: Annotated[str, typer.Option(help="Names for the folders below: {department}/{year}/.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that marks each document.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="An access label; readers must hold one of them.")] = None,
    env: EnvironmentName = LOCAL,
) -> None:
    """Sync a prefix of a bucket from now on; the same bucket and prefix again replace the settings."""
    bucket, prefix = place_of(source)
    asked = NewSync(
        tenant=tenant,
        bucket=bucket,
        prefix=prefix,
        every_seconds=seconds_of(every),
        pattern=pattern,
        metadata=tags_of([*(tag or ()), *([f"access={' '.join(label)}"] if label else [])]),
    )
    with environment_named(env).api() as api:
        made = api.create_sync(asked)
    output().print(f"{made.id} makes its first pass: plinth sync list --tenant {tenant}", markup=False, soft_wrap=True)


@group.command("list", epilog="Example: plinth sync list --tenant acme")
def list_(
    *, tenant: Annotated[str, typer.Option(help="Whose.")], env: EnvironmentName = LOCAL, json: AsJson = False
) -> None:
    """Say what is synced, how each last pass went, and what was refused and why."""
    with environment_named(env).api() as api:
        found = api.syncs(tenant)
    if json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for line in [line for each in found for line in told(each)] or [f"{tenant} has no syncs"]:
        output().print(line, markup=False, soft_wrap=True)


@group.command(epilog="Example: plinth sync now acme-3f2a91c0d4e5 --allow-deletes")
def now(
    sync_id: _Id,
    *,
    allow_deletes: Annotated[
        bool, typer.Option("--allow-deletes", help="Delete what the last pass held back.")
    ] = False,
    env: EnvironmentName = LOCAL,
) -> None:
    """Make a pass now."""
    with environment_named(env).api() as api:
        begun = api.sync_now(sync_id, allow_deletes=allow_deletes)
    output().print(f"{begun.id} makes a pass: plinth sync list --tenant {begun.tenant}", markup=False, soft_wrap=True)


@group.command(epilog="Example: plinth sync remove acme-3f2a91c0d4e5 --keep-documents")
def remove(
    sync_id: _Id,
    *,
    keep: Annotated[bool, typer.Option("--keep-documents", help="Its documents stay as they are.")] = False,
    erase: Annotated[bool, typer.Option("--erase-documents", help="They go, as if deleted in S3.")] = False,
    env: EnvironmentName = LOCAL,
) -> None:
    """Place nothing any more, and let the documents be or take them along."""
    if keep == erase:
        raise UsageError("say what becomes of its documents: --keep-documents or --erase-documents")
    with environment_named(env).api() as api:
        api.delete_sync(sync_id, documents="keep" if keep else "erase")
    output().print(f"{sync_id} is being removed", markup=False, soft_wrap=True)


def place_of(source: str) -> tuple[str, str]:
    """Return bucket and prefix; a prefix is a folder, whether or not a slash ends it."""
    found = re.fullmatch(r"s3://([^/]+)(?:/(.*))?", source)
    if not found:
        raise UsageError(f"{source!r}: say s3://BUCKET/PREFIX")
    prefix = found[2] or ""
    return found[1], prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def seconds_of(every: str) -> int:
    """Return a time such as 30m, 1h or 7d in seconds."""
    found = re.fullmatch(r"(\d{1,4})([mhd])", every)
    if not found:
        raise UsageError(f"--every {every!r}: say a number with m, h or d, such as 1h")
    return int(found[1]) * _SECONDS[found[2]]


def told(sync: SyncStanding) -> Sequence[str]:
    """Return what is to be known of a sync, and what to do where it waits for somebody."""
    place = f"s3://{sync.bucket}/{sync.prefix}"
    lines = [f"{sync.id}  {plain(place)} {plain(sync.pattern)} {sync.state}, next pass {_time(sync.next_at)}"]
    last = sync.last
    if last is None:
        return lines
    if last.problem:
        return [*lines, f"  {_time(last.at)}: nothing was done: {plain(last.problem)}"]
    counts = f"{last.seen} seen, {last.added} added, {last.changed} changed, {last.removed} removed"
    lines.append(f"  {_time(last.at)}: {counts}; {last.ready} ready, {last.failed} failed")
    if last.held_back:
        lines.append(f"  {last.held_back} documents lost their object: plinth sync now {sync.id} --allow-deletes")
    return [*lines, *(f"  refused: {plain(each.name)}: {plain(each.message)} [{each.reason}]" for each in last.refused)]


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
