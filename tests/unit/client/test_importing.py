"""How a folder is imported: hashed, uploaded where bytes are missing, started, followed, taken up again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from client.api import PlinthApi
from client.commands.documents import batched, tags_of
from client.commands.pricing import agree_on_contexts, micro_usd
from client.errors import UsageError
from client.importing import ImportOptions, ImportStuckError, Listed, import_files, listed
from client.uploading import SourceFile, source_files
from plinth.contracts.importing import ImportFailure

RUNNING = {"import_id": "imp_1", "state": "running", "files": 2, "unchanged": 0, "created_at": 1.0}
DONE = {**RUNNING, "state": "done", "ready": 1, "failed": 1}


class Server:
    """The routes of imports, and the store that takes what is missing."""

    def __init__(self, *, created: Mapping[str, object], then: list[Mapping[str, object]]) -> None:
        self.created, self.then = created, then
        self.missing: dict[str, dict[str, Any]] = {}
        self.stored: list[bytes] = []
        self.calls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        if request.method == "PUT":
            self.missing.pop(request.url.path.strip("/"))
            self.stored.append(request.content)
            return httpx.Response(200)
        if request.url.path == "/v1/imports":
            for each in msgspec.json.decode(request.content)["files"]:
                upload = {"url": f"http://127.0.0.1:2/{each['sha256']}", "method": "PUT", "headers": {}}
                self.missing[each["sha256"]] = {"sha256": each["sha256"], "upload": upload}
            return httpx.Response(201, json=self.created)
        if request.url.path.endswith("/uploads"):
            return httpx.Response(200, json={"files": list(self.missing.values())})
        return httpx.Response(200, json=self.then.pop(0))


def folder(tmp_path: Path, **texts: str) -> list[Listed]:
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [each for file in source_files([tmp_path]) if isinstance(each := listed(file), Listed)]


def imported(server: Server, files: list[Listed], **options: Any) -> tuple[str, dict[str, int]]:
    told: dict[str, int] = {}
    with PlinthApi("http://127.0.0.1:1", key="k", transport=httpx.MockTransport(server)) as api:
        record = import_files(
            api, files, ImportOptions(**options), told=lambda name, more: told.update({name: told.get(name, 0) + more})
        )
    return record.state, told


def test_missing_bytes_are_uploaded_once_and_the_import_followed_to_its_end(tmp_path: Path) -> None:
    files = folder(tmp_path, a="one", b="two", twin="one")
    server = Server(created={**RUNNING, "state": "uploading"}, then=[RUNNING, DONE])

    state, told = imported(server, files)

    assert state == "done"
    assert sorted(server.stored) == [b"one", b"two"]
    assert told["reading and indexing"] == 2
    assert "POST /v1/imports/imp_1/start" in server.calls


def test_an_import_that_runs_already_is_followed_and_nothing_is_sent_again(tmp_path: Path) -> None:
    server = Server(created=RUNNING, then=[RUNNING, DONE])

    state, _ = imported(server, folder(tmp_path, a="one"))

    assert (state, server.stored) == ("done", [])
    assert "POST /v1/imports/imp_1/start" in server.calls  # its machine may never have started


def test_where_nothing_has_changed_nothing_is_started(tmp_path: Path) -> None:
    server = Server(created={**RUNNING, "state": "uploading", "unchanged": 2}, then=[])

    state, told = imported(server, folder(tmp_path, a="one", b="two"))

    assert (state, told) == ("uploading", {"uploading": 2, "reading and indexing": 2})
    assert server.calls == ["POST /v1/imports"]


def test_an_import_without_progress_is_told_by_its_id(tmp_path: Path) -> None:
    server = Server(created=RUNNING, then=[RUNNING])

    with pytest.raises(ImportStuckError, match="imp_1"):
        imported(server, folder(tmp_path, a="one"), patience_seconds=-1.0)


def test_an_empty_file_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")

    (found,) = map(listed, source_files([tmp_path]))

    assert isinstance(found, ImportFailure)
    assert found.reason == "empty"


@pytest.mark.parametrize("name", ["caf\udce9.txt", "a\x1b[2Jb.txt"])
def test_a_name_that_no_document_can_have_is_told_and_the_other_files_go(tmp_path: Path, name: str) -> None:
    found = listed(SourceFile(path=tmp_path / name, name=name))

    assert isinstance(found, ImportFailure)
    assert (found.reason, found.name.encode().decode()) == ("bad_name", found.name)


def test_a_file_that_can_not_be_read_is_told_and_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "image.iso").touch()
    os.truncate(tmp_path / "image.iso", 2**40)

    gone, large = (listed(SourceFile(path=tmp_path / name, name=name)) for name in ("gone.txt", "image.iso"))

    assert isinstance(gone, ImportFailure)
    assert isinstance(large, ImportFailure)
    assert (gone.reason, large.reason) == ("unreadable", "too_large")
    assert "1099511627776 bytes" in large.message


def test_files_go_in_parts_of_what_one_import_takes(tmp_path: Path) -> None:
    files = folder(tmp_path, **{f"f{number}": str(number) for number in range(5)})

    assert [len(part) for part in batched(files, 2)] == [2, 2, 1]


def test_a_tag_says_a_name_and_a_value_and_each_name_once() -> None:
    assert tags_of(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    for wrong in (["a"], ["a=1", "a=2"]):
        with pytest.raises(UsageError, match="NAME=VALUE"):
            tags_of(wrong)


PRICED = {**RUNNING, "contexts": {"model": "m", "expected_micro_usd": 1_000, "most_micro_usd": 5_000}}


def agreed(tmp_path: Path, *, yes: bool = False, **options: Any) -> None:
    files, made = folder(tmp_path, a="one", b="two"), ImportOptions(context_model="m", **options)
    with PlinthApi(
        "http://127.0.0.1:1", key="k", transport=httpx.MockTransport(Server(created=PRICED, then=[]))
    ) as api:
        agree_on_contexts(api, batched(files, 1), made, yes=yes)


def test_what_contexts_cost_is_told_and_asked_unless_it_was_agreed_to_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, abort: asked.append(text))

    agreed(tmp_path)
    agreed(tmp_path, yes=True)
    agreed(tmp_path, max_context_cost_micro_usd=10_000)

    assert asked == ["write them?"]
    assert capsys.readouterr().out.count("about $0.002000, at most $0.010000") == 3


def test_contexts_that_may_cost_more_than_max_cost_in_all_lots_together_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="more than --max-cost"):
        agreed(tmp_path, max_context_cost_micro_usd=9_999)


def test_dollars_are_whole_micro_dollars() -> None:
    assert (micro_usd(1.25), micro_usd(0.0000009), micro_usd(None)) == (1_250_000, 1, None)
