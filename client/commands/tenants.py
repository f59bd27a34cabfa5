"""`plinth tenants`: tiers, tenants, users and keys from one file into an environment, and the end of a key."""

from pathlib import Path
from typing import Annotated

import typer

from client.commands.choices import EnvironmentName, output, progress
from client.environments import LOCAL, Environment, environment_named
from client.errors import UsageError
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
    content, made = read_tenants(file), 0
    for key in _table(environment_named(env)).apply(content):
        made += 1
        output().print(f"{key.tenant} {key.user} {key.name} {key.text}", markup=False, soft_wrap=True)
    progress().print(f"{len(content.tenants)} tenants written, {made} keys made")


@group.command(epilog="Example: plinth tenants revoke demo ann laptop --env dev")
def revoke(
    tenant: Annotated[str, typer.Argument(help="Whose key it is, as in the tenants file.", metavar="TENANT")],
    user: Annotated[str, typer.Argument(help="The user of the tenant.", metavar="USER")],
    name: Annotated[str, typer.Argument(help="The key's name.", metavar="NAME")],
    *,
    env: EnvironmentName = LOCAL,
) -> None:
    """End a key at once: the next request with it is refused.

    Applying a tenants file that still names it makes a new one.
    """
    table = _table(environment_named(env))
    names = table.key_names(tenant, user)
    if name not in names:
        others = f"; its keys are: {', '.join(names)}" if names else ""
        raise UsageError(f"user {user} of tenant {tenant} has no key {name}{others}")
    table.revoke(tenant, user, name)
    progress().print(f"{tenant} {user} {name} is refused from now on", markup=False)


def _table(environment: Environment) -> TenantsTable:
    table = environment.output("TenantsTable")
    return TenantsTable(environment.aws.dynamodb(), table=table, environment=environment.name)
