"""How the local stack comes up, goes down and reports: the laptop's stand-in for an AWS account with a deployment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from client.aws import Aws, merged
from client.tenants import TenantsTable
from local import keeping, roster
from local.cloud import REGION
from local.credentials import keep_keys
from local.deploy import deploy
from local.models.files import cache_directory, ensure
from local.places import REPOSITORY, Ports
from local.preflight import check_machine, check_ports
from local.processes import LocalProcessError
from local.records import StackInfo, read, stack_file, write
from local.supervision import LockHeldError, ProcessReport, WantedProcess, hold
from local.synth import build_layers, synthesize

_TENANTS = REPOSITORY / "samples" / "tenants.toml"
_KEYS = {"ANTHROPIC_API_KEY": "AnthropicSecretArn", "OPENAI_API_KEY": "OpenAiSecretArn"}
Progress = Callable[[str], None]


class AlreadyRunningError(LocalProcessError):
    """A stack of this home runs on other ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Whether the stack runs, what it is, and how each process fares."""

    running: bool
    info: StackInfo | None
    processes: tuple[ProcessReport, ...]


def up(home: Path, ports: Ports, *, model: str, progress: Progress, strict: bool = False) -> StackInfo:
    """Start what is not running, deploy what has changed, and return where everything is.

    `model` is `demo` or `small`. Nothing is started unless the machine has what it takes; what this call started is
    stopped again if it fails or is interrupted. Raises LocalProcessError, ModelError or DeployError with the remedy.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        with hold(home / "up.pid", patience_seconds=0):
            return _up(home, ports, model=model, progress=progress, strict=strict)
    except LockHeldError as error:
        raise LockHeldError(f"another `plinth up` is at work in {home}: wait for it") from error


def down(home: Path) -> bool:
    """Stop every process of the stack and keep its data; return False where nothing ran."""
    return keeping.stop_supervisor(home)


def status(home: Path) -> Status:
    """Return what is known of the stack in this home."""
    running = keeping.supervisor_pid(home) is not None
    return Status(
        running=running,
        info=read(stack_file(home), StackInfo),
        processes=keeping.reports(home) if running else (),
    )


def _up(home: Path, ports: Ports, *, model: str, progress: Progress, strict: bool) -> StackInfo:
    fresh = keeping.supervisor_pid(home) is None
    check_machine(home=home, cache=cache_directory(), model=model)
    if fresh:
        check_ports(ports)
    else:
        _refuse_other_ports(home, ports)
    model_file = ensure(model, cache=cache_directory(), progress=progress)
    wanted = roster.behind_the_edge(home, ports=ports, model_file=model_file, strict=strict)
    try:
        if fresh:
            keeping.start_supervisor(home)
        outputs = _deployed(home, ports, wanted=wanted, strict=strict, progress=progress)
        return _handed_over(home, ports, model=model, outputs=outputs)
    except BaseException:
        if fresh:
            progress("stopping what was started")
            keeping.stop_supervisor(home)
        raise


def _refuse_other_ports(home: Path, ports: Ports) -> None:
    known = read(stack_file(home), StackInfo)
    if known is not None and known.port != ports.edge:
        raise AlreadyRunningError(
            f"the stack in {home} runs on port {known.port}, not {ports.edge}: stop it first with `plinth down`"
        )


def _deployed(
    home: Path, ports: Ports, *, wanted: tuple[WantedProcess, ...], strict: bool, progress: Progress
) -> Mapping[str, str]:
    """Build while the processes start, deploy, and put the edge in front; return the outputs."""
    known = read(stack_file(home), StackInfo)
    at_once = (*wanted, roster.edge(home, ports=ports, outputs=known.outputs, strict=strict)) if known else wanted
    request = keeping.ask_for(home, at_once)
    build_layers(progress)
    assembly = synthesize(home, progress=progress)
    keeping.wait_for(home, request, progress=progress)
    deployed = deploy(assembly, ports.cloud_url, progress=lambda stack, state: progress(f"{stack}: {state}"))
    outputs = merged(deployed.values())
    everything = (*wanted, roster.edge(home, ports=ports, outputs=outputs, strict=strict))
    if everything != at_once:
        keeping.wait_for(home, keeping.ask_for(home, everything), progress=progress)
    return outputs


def _handed_over(home: Path, ports: Ports, *, model: str, outputs: Mapping[str, str]) -> StackInfo:
    """Put keys where they belong, and write down where everything is."""
    aws = Aws(local_url=ports.cloud_url, region=REGION)
    keep_keys(home, TenantsTable(aws.dynamodb(), table=outputs["TenantsTable"], environment="local"), _TENANTS)
    for variable, secret in _KEYS.items():
        if own_key := os.environ.get(variable):
            aws.secrets().put_secret_value(SecretId=outputs[secret], SecretString=own_key)
    info = StackInfo(
        port=ports.edge,
        model=model,
        api_url=ports.edge_url,
        cloud_url=ports.cloud_url,
        region=REGION,
        outputs=dict(outputs),
    )
    write(stack_file(home), info)
    return info
