"""The options that several commands share, spelled once."""

from typing import Annotated

import typer
from rich.console import Console

EnvironmentName = Annotated[
    str, typer.Option("--env", envvar="PLINTH_ENV", help="local, or the name of a deployed environment.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def output() -> Console:
    """Return the console for results."""
    return Console(highlight=False)


def progress() -> Console:
    """Return the console for what goes on meanwhile, apart from the results."""
    return Console(stderr=True, highlight=False)
