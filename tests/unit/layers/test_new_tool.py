"""`make tool`: what it writes passes as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from layers.new_tool import NewToolError, begin_tool

ROOT = Path(__file__).parents[3]
PLINTH = Path("layers/plinth/python/plinth")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what a tool is written into."""
    shutil.copytree(ROOT / PLINTH, tmp_path / PLINTH, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "tests/unit", "tests/unit/tools"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    shutil.copy(ROOT / "tests/unit/tools/test_toolbox.py", tmp_path / "tests/unit/tools")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run_there(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{copy / PLINTH.parent}{os.pathsep}{copy}"}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def test_a_new_tool_passes_its_own_test_and_those_of_every_tool_at_once(copy: Path) -> None:
    written = begin_tool(copy, "convert_units")

    tested = run_there(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/tools")
    assert tested.returncode == 0, tested.stdout
    assert (
        "convert_units"
        in run_there(copy, sys.executable, "-c", "from plinth.tools.toolbox import TOOLS; print(*TOOLS)").stdout.split()
    )
    assert [path.name for path in written] == ["convert_units.py", "test_convert_units.py", "toolbox.py"]


def test_a_new_tool_is_written_as_the_linter_wants_it(copy: Path) -> None:
    written = [str(path) for path in begin_tool(copy, "convert_units")]

    checked = run_there(copy, sys.executable, "-m", "ruff", "check", "--no-cache", *written)
    assert checked.returncode == 0, checked.stdout
    formatted = run_there(copy, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", *written)
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.parametrize("name", ["", "Convert", "convert-units", "../escape", "1st", "a" * 65, "convert__units"])
def test_what_is_no_name_is_refused_with_an_example(copy: Path, name: str) -> None:
    with pytest.raises(NewToolError, match="such as convert_units"):
        begin_tool(copy, name)


def test_a_name_that_is_taken_is_refused(copy: Path) -> None:
    with pytest.raises(NewToolError, match=r"tools/calculate\.py exists already"):
        begin_tool(copy, "calculate")
