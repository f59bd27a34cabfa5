"""The command line `plinth`: every command, and one exit code and one sentence per kind of failure.

Exit codes: 0 done; 1 a run failed or a document was refused; 2 the command or a file of yours is wrong;
3 not running or not reachable; 4 the API refused (key, limit, field).
"""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as AwsError

from client.commands import (
    approving,
    asking,
    cost,
    documents,
    erasing,
    exporting,
    logs,
    models,
    reindexing,
    remembering,
    stack,
    syncing,
    tenants,
    tracing,
    usage,
)
from client.errors import ClientError, UsageError
from local.deploy import DeployError
from local.models.errors import ModelError
from local.processes import LocalProcessError

_NOT_RUNNING = 3
_ELSEWHERE = (LocalProcessError, DeployError, ModelError, AwsError, BotoCoreError)
_GIVEN = (OSError, UnicodeError)  # a path, or a text, that can't be used
_DEBUG = "--debug"
_INTERRUPTED = 130

app = typer.Typer(
    name="plinth",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 it failed or was refused as it is, 2 wrong usage, 3 not running or not reachable, "
    "4 refused by the API, 130 interrupted.",
)
_WORKING = (documents, erasing, exporting, asking, approving, remembering)
for module in (stack, *_WORKING, models, tracing, logs, tenants, cost, usage, reindexing, syncing):
    app.add_typer(module.app)


@app.callback()
def options(*, debug: Annotated[bool, typer.Option(_DEBUG, help="Show where an error comes from.")] = False) -> None:
    """Ask a Plinth stack, fill it with documents, and run it on this machine."""
    del debug


def main() -> None:
    """Run the command line; an error of any expected kind becomes one sentence and its exit code."""
    sys.exit(reported(app))


def reported(run: Callable[[], int | None]) -> int:
    """Return the exit code of `run`; an expected error is told in one sentence, or raised if `--debug` was given."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        return run() or 0
    except (ClientError, *_ELSEWHERE, *_GIVEN) as error:
        if _DEBUG in sys.argv:
            raise
        sys.stderr.write(f"plinth: {error}\n".encode(errors="replace").decode())
        if isinstance(error, ClientError):
            return error.exit_code
        return UsageError.exit_code if isinstance(error, _GIVEN) else _NOT_RUNNING
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _frame: FrameType | None) -> None:
    """End as after an error, so that what a command started is stopped again."""
    raise SystemExit(128 + number)
