"""How layer folders are made: from hashed locks, for this machine or for AWS, the same bytes each time.

`python -m layers.build --target aws` writes build/layers/aws/<layer>/, ready to be zipped; `--target local` the same
for the running interpreter. A layer whose inputs did not change is left alone.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.contents import LAYERS, LayerContents, overweight, unused_globs
from local.models.catalogue import CATALOGUE
from local.models.errors import ModelError
from local.models.files import cache_directory, ensure

REPOSITORY = Path(__file__).parents[1]
_ZIP_EPOCH_SECONDS = 315_532_800  # 1980-01-01, the date that zip files of layers carry
_BUILD_SECONDS = 900


class LayerBuildError(Exception):
    """A layer could not be built; the text says which one and why."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Whose machine a layer is for; `platform` is None for the machine that builds."""

    name: str
    python: str
    platform: str | None = None


_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGETS = {
    "local": Target(name="local", python=_HERE),
    "aws": Target(name="aws", python="3.13", platform="aarch64-manylinux_2_28"),
}


def build(name: str, *, target: Target, out: Path) -> int:
    """Make `out`/`name` unless it is there already; return its unzipped size in bytes.

    Raises LayerBuildError, or ModelError where a model file can't be had. The folder appears whole or not at all.
    """
    contents, folder, inputs = LAYERS[name], out / name, out / f"{name}.inputs.json"
    compiler = _compiler(target)
    digest = _inputs_digest(contents, target=target, compiled=compiler is not None)
    if folder.is_dir() and inputs.is_file() and json.loads(inputs.read_text()).get("digest") == digest:
        size = _size(folder)
        _tell(f"{name}: unchanged, {_megabytes(size)}")
        return size
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as scratch:
        made = Path(scratch) / name
        _fill(made, contents=contents, target=target)
        _compile(made / "python", compiler=compiler)
        _freeze(made)
        inputs.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    inputs.write_text(json.dumps({"digest": digest}) + "\n")
    size = _size(folder)
    note = "byte-compiled" if compiler else f"without byte code, for no python{target.python} was found here"
    _tell(f"{name}: built for {target.name}, {_megabytes(size)}, {note}")
    return size


def _inputs_digest(contents: LayerContents, *, target: Target, compiled: bool) -> str:
    digest = hashlib.sha256(f"{target} {contents} {compiled}".encode())
    sources = [Path(__file__), Path(__file__).with_name("contents.py")]
    if contents.lock:
        sources.append(REPOSITORY / "requirements" / contents.lock)
    if contents.package:
        sources.extend(_source_files(REPOSITORY / contents.package))
    for source in sources:
        digest.update(f"{source.relative_to(REPOSITORY)} {hashlib.sha256(source.read_bytes()).hexdigest()}".encode())
    if contents.model:
        digest.update(" ".join(file.sha256 for file in CATALOGUE[contents.model].files).encode())
    return digest.hexdigest()


def _source_files(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _fill(made: Path, *, contents: LayerContents, target: Target) -> None:
    python = made / "python"
    python.mkdir(parents=True)
    if contents.package:
        package = REPOSITORY / contents.package
        for source in _source_files(package):
            copy = python / package.name / source.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    if contents.lock:
        _install(contents.lock, folder=python, target=target)
    for path in [path for glob in unused_globs(contents) for path in python.glob(glob)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if contents.model:
        model = ensure(contents.model, cache=cache_directory(), progress=_tell)
        (made / contents.model_folder).mkdir(parents=True)
        for file in CATALOGUE[contents.model].files:
            shutil.copyfile(model / file.name, made / contents.model_folder / file.name)


def _install(lock: str, *, folder: Path, target: Target) -> None:
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--link-mode=copy", "--no-config", "--quiet"]
    options += [f"--python={sys.executable}", f"--target={folder}", f"--python-version={target.python}"]
    if target.platform:
        options.append(f"--python-platform={target.platform}")
    _run(
        [sys.executable, "-m", "uv", "pip", "install", *options, f"--requirements={REPOSITORY / 'requirements' / lock}"]
    )


def _compiler(target: Target) -> str | None:
    """Return an interpreter of the target's minor version, for byte code of any other is of no use."""
    if target.python == _HERE:
        return sys.executable
    found = shutil.which(f"python{target.python}")
    works = found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0
    return found if works else None


def _compile(python: Path, *, compiler: str | None) -> None:
    """Compile for loading without a look at the source's date, which zip files do not keep."""
    if compiler is None:
        return
    mode = ["--invalidation-mode=unchecked-hash", "-q", "-s", str(python), "-p", "/opt/python"]
    _run([compiler, "-m", "compileall", *mode, str(python)])


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS, env=environment)
    if done.returncode:
        raise LayerBuildError(f"{' '.join(command[1:4])} failed: {(done.stderr or done.stdout).strip()[-2000:]}")


def _freeze(made: Path) -> None:
    """Give every file the same date, and the mode that its kind has."""
    for path in [made, *made.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)
        os.utime(path, (_ZIP_EPOCH_SECONDS, _ZIP_EPOCH_SECONDS))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the layers that changed and report their sizes; the exit code is 1 if one can't be built or is too big."""
    parser = argparse.ArgumentParser(prog="python -m layers.build", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("--target", choices=sorted(TARGETS), required=True)
    parser.add_argument("--out", type=Path, help="default: build/layers/<target>")
    parser.add_argument("--layer", choices=list(LAYERS), action="append", help="build only this one; may be repeated")
    options = parser.parse_args(arguments)
    out = (options.out or REPOSITORY / "build" / "layers" / options.target).resolve()
    try:
        sizes = {name: build(name, target=TARGETS[options.target], out=out) for name in options.layer or LAYERS}
    except (LayerBuildError, ModelError) as error:
        _tell(f"error: {error}")
        return 1
    sizes |= {name: _size(out / name) for name in LAYERS if (out / name).is_dir()}
    complaints = overweight(sizes)
    for complaint in complaints:
        _tell(f"error: {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
