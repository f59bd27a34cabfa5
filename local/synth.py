"""When the CDK app is synthesized anew: only if something that it reads has changed since the last time."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from local.places import REPOSITORY
from local.processes import LocalProcessError

LAYERS = REPOSITORY / "build" / "layers" / "local"
_READ = ("app.py", "cdk.json", "cdk", "statemachines", "functions", "layers")
_SYNTH_SECONDS = 300
_BUILD_SECONDS = 1800


class AssemblyError(LocalProcessError):
    """The layers or the CDK app could not be built; the message holds the end of what the tool said."""


def build_layers(progress: Callable[[str], None]) -> None:
    """Build the layers that changed, for this interpreter; `progress` hears each line of the builder."""
    command = [sys.executable, "-m", "layers.build", "--target", "local", "--out", str(LAYERS)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=REPOSITORY, text=True) as builder:
        lines = [line.rstrip() for line in _told(builder, progress)]
        if builder.wait(timeout=_BUILD_SECONDS):
            raise AssemblyError("the layers could not be built: " + "\n".join(lines[-10:]))


def synthesize(home: Path, *, progress: Callable[[str], None]) -> Path:
    """Return the cloud assembly of the local environment, made anew only if its inputs changed."""
    assembly, mark = home / "cdk.out", home / "cdk.out.sha256"
    digest = fingerprint(_inputs())
    if assembly.is_dir() and mark.exists() and mark.read_text() == digest:
        progress("the CDK app is unchanged")
        return assembly
    progress("synthesizing the CDK app")
    mark.unlink(missing_ok=True)
    shutil.rmtree(assembly, ignore_errors=True)
    _run_app(assembly)
    mark.write_text(digest)
    return assembly


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a digest of the files' names and content."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _inputs() -> list[Path]:
    """List the app's sources; a layer is known by the record of its inputs that the builder leaves beside it."""
    sources = [path for name in _READ for path in (REPOSITORY / name, *(REPOSITORY / name).rglob("*"))]
    kept = [path for path in sources if path.is_file() and "__pycache__" not in path.parts]
    return sorted([*kept, *LAYERS.glob("*.inputs.json")])


def _run_app(assembly: Path) -> None:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": '{"env": "local"}',
        "PLINTH_LAYERS_DIR": str(LAYERS),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    }
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SYNTH_SECONDS,
        check=False,
    )
    if done.returncode:
        raise AssemblyError(f"the CDK app failed:\n{done.stderr.strip()[-2000:]}")


def _told(process: "subprocess.Popen[str]", progress: Callable[[str], None]) -> Iterable[str]:
    for line in process.stderr or ():
        progress(f"layer {line.rstrip()}")
        yield line
