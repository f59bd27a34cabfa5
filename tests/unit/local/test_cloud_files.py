"""What the launcher unpacks, what the deployment zips, and what it asks of ministack."""

import importlib.util
import io
import py_compile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from local.cloud import ministack
from local.cloud.__main__ import ministack_environment, parse
from local.cloud.ministack import MinistackChangedError
from local.cloud.unpacked import unpacked
from local.deploy import write_zip


def test_content_is_unpacked_once_compiled_and_keeps_its_modes(tmp_path: Path) -> None:
    """The second time gives the same folder, untouched."""
    source = tmp_path / "source"
    (source / "python").mkdir(parents=True)
    (source / "python" / "words.py").write_text("GREETING = 'hello'")
    (source / "python" / "template.py").write_text("not python at all {{")
    tool = source / "tool"
    tool.write_text("#!/bin/sh")
    tool.chmod(0o755)
    write_zip(source, tmp_path / "a.zip")
    content = (tmp_path / "a.zip").read_bytes()
    folder = unpacked(content, tmp_path / "unpacked")
    (folder / "mark").touch()
    assert unpacked(content, tmp_path / "unpacked") == folder
    assert (folder / "mark").exists()
    assert (folder / "tool").stat().st_mode & 0o777 == 0o755
    assert Path(importlib.util.cache_from_source(str(folder / "python" / "words.py"))).exists()


def test_a_zip_depends_on_content_alone(tmp_path: Path) -> None:
    """So that an asset's hash names its bytes."""
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "a.txt").write_text("a")
        (tmp_path / name / "b.txt").write_text("b")
        write_zip(tmp_path / name, tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        (py_compile.PycInvalidationMode.TIMESTAMP, False),
        (py_compile.PycInvalidationMode.UNCHECKED_HASH, True),
        (py_compile.PycInvalidationMode.CHECKED_HASH, True),
    ],
)
def test_compiled_files_are_zipped_only_if_the_date_of_the_zip_does_not_make_them_stale(
    tmp_path: Path, *, mode: py_compile.PycInvalidationMode, kept: bool
) -> None:
    """A zip dates its files 1980-01-01."""
    folder = tmp_path / "layer"
    folder.mkdir()
    (folder / "a.py").write_text("")
    py_compile.compile(str(folder / "a.py"), invalidation_mode=mode)
    write_zip(folder, tmp_path / "layer.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "layer.zip").read_bytes())) as archive:
        assert any(name.endswith(".pyc") for name in archive.namelist()) is kept


def test_a_changed_ministack_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release, a symbol or a text that is not what the patches were written for."""
    monkeypatch.setattr(ministack, "VERSION", "0.0.0")
    with pytest.raises(MinistackChangedError, match=r"install ministack==0.0.0"):
        ministack.require_version()
    engine = ModuleType("engine")
    with pytest.raises(MinistackChangedError, match="engine has no _run"):
        ministack.replace(engine, "_run", None)
    engine.__dict__["parse"] = parse
    with pytest.raises(MinistackChangedError, match="does not hold this text once: 'no such text'"):
        ministack.edit(engine, "parse", "no such text", "")


def test_the_environment_of_ministack_is_loopback_and_holds_nothing_of_the_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Except PATH."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = ministack_environment(port=1, home=tmp_path, search_endpoint="127.0.0.1:2")
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert not {"AWS_PROFILE", "HOME"} & set(environment)
    assert all(environment[name].startswith(str(tmp_path)) for name in ("STATE_DIR", "S3_DATA_DIR", "TMPDIR"))


@pytest.mark.parametrize("wrong", [["--environment", "NOVALUE"], ["--unknown"], ["--por", "1"]])
def test_an_unknown_or_malformed_option_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The message names it."""
    with pytest.raises(SystemExit):
        parse(["--port", "1", "--home", "x", "--search-endpoint", "a:1", *wrong])
    assert wrong[-1] in capsys.readouterr().err
