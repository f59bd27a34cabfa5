"""`plinth up`, `down`, `status`, `deploy`: the stack on this machine, and its way to AWS."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client.commands.choices import EnvironmentName, output, progress
from client.environments import LOCAL, environment_named
from client.errors import ClientError, NotReachableError, UsageError
from local import stack
from local.places import REPOSITORY, chosen_model, chosen_ports, home_directory
from local.records import StackInfo
from local.supervision import Phase, ProcessReport

app = typer.Typer()
_LOG_LINES = 8
_NOT_RUNNING = 3


class DeploymentError(ClientError):
    """A tool of the deployment failed; what it said stands above."""


@app.command(epilog="Examples: plinth up | PLINTH_LOCAL_MODEL=small PLINTH_PORT=5600 plinth up")
def up(
    *, strict: Annotated[bool, typer.Option(help="Refuse what AWS refuses, also where this is slower.")] = False
) -> None:
    """Start the whole stack on this machine and deploy to it; on a running one, deploy what has changed.

    PLINTH_PORT is the first of four ports (4600), PLINTH_LOCAL_MODEL is demo or small, PLINTH_HOME holds the data.
    """
    info = start(progress(), strict=strict)
    console = output()
    for line in places(info):
        console.print(line, markup=False, soft_wrap=True)


def start(console: Console, *, strict: bool = False) -> StackInfo:
    """Bring the stack up and tell the console about each step, with the seconds since the start."""
    return stack.up(home_directory(), chosen_ports(), model=chosen_model(), progress=_timed(console), strict=strict)


def places(info: StackInfo) -> list[str]:
    """Return where the parts of a running stack are."""
    return [
        f"console  {info.api_url}",
        f"API      {info.api_url}/v1",
        f"AWS APIs {info.cloud_url}",
        f"data     {home_directory()}",
    ]


def _timed(console: Console) -> Callable[[str], None]:
    begin = time.monotonic()
    return lambda line: console.print(f"{time.monotonic() - begin:6.1f} s  {line}", markup=False, soft_wrap=True)


@app.command()
def down() -> None:
    """Stop the stack on this machine and keep its data."""
    stopped = stack.down(home_directory())
    output().print("stopped; the data is kept" if stopped else "nothing was running")


@app.command(epilog="Exit code 3 means that the stack, or a part of it, does not run.")
def status(*, env: EnvironmentName = LOCAL) -> None:
    """Show what runs and where; for a part that has ended, the end of its log."""
    if env != LOCAL:
        environment = environment_named(env)
        output().print(f"{env} is deployed: API {environment.output('ApiUrl')}", markup=False, soft_wrap=True)
        return
    now, console = stack.status(home_directory()), output()
    if not now.running:
        raise NotReachableError(f"no stack runs in {home_directory()}: start one with `plinth up`")
    for each in now.processes:
        console.print(f"{each.name:8} {each.phase:8} pid {each.pid}", markup=False)
        if each.phase is Phase.ENDED:
            console.print(_end_of_log(each), markup=False, soft_wrap=True)
    for line in places(now.info) if now.info else []:
        console.print(line, markup=False, soft_wrap=True)
    if any(each.phase is not Phase.RUNNING for each in now.processes):
        raise typer.Exit(_NOT_RUNNING)


def _end_of_log(report: ProcessReport) -> str:
    log = Path(report.log)
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:] if log.exists() else []
    return "\n".join([f"  {report.message}; the end of {log}:", *(f"    {line}" for line in lines)])


@app.command(epilog="Examples: plinth deploy | plinth deploy --env dev | plinth deploy --env sandbox-ada")
def deploy(*, env: EnvironmentName = LOCAL) -> None:
    """Deploy what has changed: to the running local stack, or with the CDK to AWS."""
    if env == LOCAL:
        if not stack.status(home_directory()).running:
            raise NotReachableError("no stack runs here: start one with `plinth up`")
        start(progress())
        return
    cdk = REPOSITORY / "node_modules" / ".bin" / "cdk"
    if not cdk.exists():
        raise UsageError(f"{cdk} is missing: run `make setup`")
    _run([sys.executable, "-m", "layers.build", "--target", "aws"])
    _run([str(cdk), "deploy", "--all", *context(env)])


def context(env: str) -> list[str]:
    """Return how the CDK app is told of the environment: `sandbox-ada` is the sandbox whose owner is ada."""
    name, _, owner = env.partition("-")
    return ["-c", f"env={name}", "-c", f"owner={owner}"] if owner else ["-c", f"env={env}"]


def _run(command: list[str]) -> None:
    if subprocess.run(command, cwd=REPOSITORY, check=False).returncode:
        raise DeploymentError(f"`{' '.join(command[-4:])}` failed: its output above says why")
