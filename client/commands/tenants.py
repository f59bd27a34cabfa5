"""`plinth tenants apply`: tiers, tenants, users and keys from one file into an environment."""

from pathlib import Path
from typing import Annotated

import typer

from client.commands.choices import EnvironmentName, output, progress
from client.environments import LOCAL, environment_named
from client.tenants import TenantsTable
from client.tenants_file import read_tenants

app = typer.Typer()
group = typer.Typer(help="Manage who may use an environment.", no_args_is_help=True)
app.add_typer(group, name="tenants")


@group.callback()
def tenants() -> None:
    """Manage who may use an environment."""


@group.command(epilog="Example: plinth tenants apply samples/tenants.toml --env dev")
def apply(
    file: Annotated[Path, typer.Argument(help="A TOML file with tiers and tenants.", metavar="FILE")],
    *,
    env: EnvironmentName = LOCAL,
) -> None:
    """Write the file's tiers, tenants and users; make the keys that it names and that do not exist yet.

    A new key is printed once, `tenant user name key` on a line, and can't be shown again. Nothing is removed.
    """
    content, environment = read_tenants(file), environment_named(env)
    table = TenantsTable(environment.aws.dynamodb(), table=environment.output("TenantsTable"), environment=env)
    made = 0
    for key in table.apply(content):
        made += 1
        output().print(f"{key.tenant} {key.user} {key.name} {key.text}", markup=False, soft_wrap=True)
    progress().print(f"{len(content.tenants)} tenants written, {made} keys made")
