"""Rules of how layer folders are made; packages come from wheels written here, never from an index."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from layers import build as building
from layers.contents import LAYERS, MAX_FUNCTION_BYTES, LayerContents, overweight

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("layer-*.txt"))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_our_own_layer_is_importable_from_its_folder_and_compiled_for_good(tmp_path: Path) -> None:
    assert building.main(["--target", "local", "--out", str(tmp_path), "--layer", "plinth"]) == 0

    python = tmp_path / "plinth" / "python"
    show = f"import sys; sys.path.insert(0, {str(python)!r}); import plinth.errors; print(plinth.errors.__cached__)"
    done = subprocess.run([sys.executable, "-I", "-c", show], capture_output=True, text=True, check=True)
    compiled = Path(done.stdout.strip())
    assert compiled.is_relative_to(python)
    assert compiled.read_bytes()[4:8] == b"\x01\0\0\0"


def test_building_twice_gives_the_same_bytes_dates_and_modes(tmp_path: Path) -> None:
    for out in ("one", "two"):
        building.main(["--target", "local", "--out", str(tmp_path / out), "--layer", "plinth"])

    one, two = tmp_path / "one" / "plinth", tmp_path / "two" / "plinth"
    assert bytes_of(one) == bytes_of(two)
    assert {(path.stat().st_mtime, oct(path.stat().st_mode)) for path in one.rglob("*.py")} == {
        (315_532_800.0, "0o100644")
    }


def test_an_unchanged_layer_is_left_alone_and_a_changed_one_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "repository" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("ANSWER = 1\n")
    monkeypatch.setattr(building, "_source_files", lambda _: [package / "__init__.py"])
    monkeypatch.setattr(building, "REPOSITORY", Path("/"))
    monkeypatch.setattr(building, "LAYERS", {"plinth": LayerContents(package=str(package))})
    arguments = ["--target", "local", "--out", str(tmp_path / "out")]

    building.main(arguments)
    building.main(arguments)
    (package / "__init__.py").write_text("ANSWER = 2\n")
    building.main(arguments)

    told = capsys.readouterr().err.splitlines()
    assert [re.sub(r",.*", "", line) for line in told] == [
        "plinth: built for local",
        "plinth: unchanged",
        "plinth: built for local",
    ]
    assert (tmp_path / "out" / "plinth" / "python" / "package" / "__init__.py").read_text() == "ANSWER = 2\n"


def test_a_layer_without_a_matching_interpreter_says_that_it_has_no_byte_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    building.main(["--target", "aws", "--out", str(tmp_path), "--layer", "plinth"])

    assert "without byte code, for no python3.13 was found here" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.pyc")) == []


def test_layers_too_big_for_one_function_are_refused() -> None:
    sizes = {"plinth": 1_000_000, "vendor": 20_000_000, "embedding": MAX_FUNCTION_BYTES, "parsing": 1}

    (complaint,) = overweight(sizes)

    assert complaint.startswith("plinth + vendor + embedding is 283,144,000 bytes")


def test_every_layer_with_packages_has_a_lock() -> None:
    assert [lock.name for lock in LOCKS] == sorted(layer.lock for layer in LAYERS.values() if layer.lock)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_every_package_by_digest_and_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^\S+==\S+.*(?:\\\n    --hash=sha256:[0-9a-f]{64} ?)+", text, flags=re.MULTILINE)

    assert len(pins) == len(re.findall(r"^\S+==", text, flags=re.MULTILINE)) > 0
    assert "://" not in text


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_layer_ships_the_versions_that_the_tests_run_with(lock: Path) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), flags=re.MULTILINE))

    assert pins == {name: version(name) for name in pins}
