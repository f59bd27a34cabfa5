"""What the client asks of exports, and what it makes of their files."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from client.commands import app
from client.errors import ExportError, UsageError
from client.exports import saved
from plinth.contracts.exporting import ExportState
from tests.unit.client.test_api import api_over


def manifest(files: dict[str, bytes]) -> bytes:
    listed = [
        {"path": path, "size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for path, body in files.items()
    ]
    told = {"id": "exp_1", "tenant": "acme", "user": None, "began_at": 1.0, "ended_at": 2.0, "records": {"runs": 1}}
    return json.dumps({**told, "files": listed, "not_exported": {}}).encode()


def test_files_come_into_the_folder_as_the_manifest_says(tmp_path: Path) -> None:
    files = {"documents/a/b.md": b"# B\n", "runs/000000.jsonl": b"{}\n"}

    told = saved([("manifest.json", manifest(files)), *files.items(), ("runs/000009.jsonl", b"stray")], tmp_path)

    assert told.records == {"runs": 1}
    found = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {"manifest.json", *files}
    assert (tmp_path / "documents/a/b.md").read_bytes() == b"# B\n"


@pytest.mark.parametrize("came", [{}, {"a.jsonl": b"changed"}])
def test_a_file_that_is_missing_or_changed_is_told_of(tmp_path: Path, came: dict[str, bytes]) -> None:
    with pytest.raises(ExportError, match=r"the first is a\.jsonl"):
        saved([("manifest.json", manifest({"a.jsonl": b"as it was"})), *came.items()], tmp_path)


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "to"
    files = {"documents/../../out.md": b"x", "documents//y.md": b"y"}

    saved([("manifest.json", manifest(files)), *files.items()], folder)

    assert [path.name for path in tmp_path.iterdir()] == ["to"]
    assert (folder / "documents/%2E%2E/%2E%2E/out.md").read_bytes() == b"x"


def test_what_no_file_can_be_named_after_comes_under_another_name_and_is_told_of(tmp_path: Path) -> None:
    long = "documents/" + "日本語" * 40 + ".md"
    files = {"documents/%2E%2E": b"1", "documents/..": b"2", "documents/guide": b"3", "documents/guide/intro.md": b"4"}
    files |= {long: b"5", "documents_by_id/doc_1": b"6"}
    told = json.loads(manifest(files))
    told["files"][-1]["name"] = "its/name"

    saved([*files.items(), ("manifest.json", json.dumps(told).encode())], tmp_path)

    renamed = json.loads((tmp_path / "renamed.json").read_text())
    assert set(renamed) == {"documents/..", "documents/guide/intro.md", long, "documents/its/name"}
    assert renamed[long] == "renamed/000004.md"
    for path, body in files.items():
        name = {"documents_by_id/doc_1": "documents/its/name"}.get(path, path)
        assert (tmp_path / renamed.get(name, path)).read_bytes() == body


def test_exports_are_asked_for_and_read_to_the_last_page() -> None:
    sent: list[str] = []
    export = {"id": "exp_1", "tenant": "acme", "state": "done", "expires_at": 9}

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.raw_path.decode()}")
        if request.url.host == "files.invalid":
            assert "authorization" not in request.headers
            return httpx.Response(200, content=request.url.path.encode())
        if request.url.path.endswith("/files"):
            page = "2" if "after" in request.url.params else "1"
            file = {"path": f"a{page}", "size_bytes": 1, "url": f"https://files.invalid/{page}"}
            return httpx.Response(200, json={"files": [file], "next": "a1" if page == "1" else None})
        return httpx.Response(202, json=export)

    with api_over(handler) as api:
        begun = api.create_export(tenant="acme", user="ada")
        assert api.get_export(begun).state is ExportState.DONE
        assert list(api.export_files(begun)) == [("a1", b"/1"), ("a2", b"/2")]

    assert sent == [
        "POST /v1/exports",
        "GET /v1/exports/exp_1?tenant=acme",
        "GET /v1/exports/exp_1/files?tenant=acme",
        "GET /1",
        "GET /v1/exports/exp_1/files?tenant=acme&after=a1",
        "GET /2",
    ]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    answer = CliRunner().invoke(app, ["export", "--to", str(tmp_path)])

    assert isinstance(answer.exception, UsageError)
    assert "not empty" in str(answer.exception)
