"""Which files are taken, how an upload is sent, and when a document counts as done."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from client.api import PlinthApi
from client.errors import ApiError, UsageError
from client.uploading import IngestTimeoutError, patiently, source_files, wait_for_documents
from plinth.contracts.memory import DocumentRecord, DocumentState


def test_a_folder_gives_its_files_by_their_path_within_it_and_no_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.md", "deep/a ü.txt", ".hidden", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    assert [each.name for each in source_files([tmp_path])] == ["b.md", "deep/a ü.txt"]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.md is no file"):
        source_files([tmp_path / "gone.md"])


def test_a_folder_that_can_not_be_listed_is_named_and_nothing_is_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir, locked = os.scandir, tmp_path / "locked"
    locked.mkdir()
    (tmp_path / "a.md").touch()

    def denied(path: Path) -> object:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)

    with pytest.raises(UsageError, match="locked can't be read"):
        source_files([tmp_path])


def test_an_upload_is_sent_as_signed_and_without_the_api_key(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(b"hello")
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.url.path != "/v1/documents":
            return httpx.Response(200)
        upload = {"url": "http://127.0.0.1:2/b/k?sig=1", "method": "PUT", "headers": {"content-type": "text/markdown"}}
        document = {"document_id": "doc_1", "name": "notes.md", "state": "awaiting_upload", "updated_at": 1.0}
        return httpx.Response(201, json={"document": document, "upload": upload})

    with PlinthApi("http://127.0.0.1:1", key="k", transport=httpx.MockTransport(handler)) as api:
        new = api.create_document("notes.md", content_type="text/markdown", size_bytes=5)
        api.upload(new.upload, file)

    put = sent[1]
    assert (put.method, str(put.url)) == ("PUT", "http://127.0.0.1:2/b/k?sig=1")
    assert put.headers["content-type"] == "text/markdown"
    assert put.headers["content-length"] == "5"
    assert "authorization" not in put.headers


def test_the_request_limit_is_waited_out_as_long_as_the_api_says() -> None:
    outcomes = [ApiError("slow", status=429, code="rate_limited", retry_after_seconds=3.0), None]
    pauses: list[float] = []

    def call() -> str:
        if error := outcomes.pop(0):
            raise error
        return "done"

    assert patiently(call, pause=pauses.append) == "done"
    assert pauses == [3.0]


def test_what_does_not_answer_is_not_asked_again_where_it_may_have_taken_effect() -> None:
    def call() -> str:
        raise ApiError("try again in a moment", status=503, code="unavailable", retry_after_seconds=None)

    pauses: list[float] = []
    with pytest.raises(ApiError, match="try again"):
        patiently(call, repeatable=False, pause=pauses.append)
    assert pauses == []


@pytest.mark.parametrize(("failures", "answered"), [(5, True), (6, False)])
def test_what_does_not_answer_is_asked_six_times(failures: int, *, answered: bool) -> None:
    unavailable = ApiError("try again in a moment", status=503, code="unavailable", retry_after_seconds=None)
    outcomes = [unavailable] * failures
    pauses: list[float] = []

    def call() -> str:
        if outcomes:
            raise outcomes.pop()
        return "done"

    if answered:
        assert patiently(call, pause=pauses.append) == "done"
    else:
        with pytest.raises(ApiError, match="try again"):
            patiently(call, pause=pauses.append)
    assert len(pauses) == 5


def documents_api(*lists: Sequence[Mapping[str, object]]) -> PlinthApi:
    answers = iter(lists)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"documents": next(answers), "next": None}))
    return PlinthApi("http://127.0.0.1:1", key="k", transport=transport)


def test_a_document_is_done_when_its_new_version_is_ready_not_while_the_old_one_still_is() -> None:
    before = DocumentRecord(document_id="d", name="n", state=DocumentState.READY, generation="1", updated_at=5.0)
    stored: dict[str, object] = {"document_id": "d", "name": "n", "updated_at": 5.0}
    old, new = {**stored, "state": "ready", "generation": "1"}, {**stored, "state": "ready", "generation": "2"}

    with documents_api([old], [{**stored, "state": "ingesting", "generation": "1"}], [new]) as api:
        done = list(wait_for_documents(api, [before], timeout_seconds=60, pause=lambda _: None))

    assert [each.generation for each in done] == ["2"]


def test_a_refused_document_is_done_with_its_reason() -> None:
    before = DocumentRecord(document_id="d", name="n", state=DocumentState.AWAITING_UPLOAD, updated_at=1.0)
    refused = {"document_id": "d", "name": "n", "state": "refused", "reason": "empty", "updated_at": 2.0}

    with documents_api([refused]) as api:
        done = list(wait_for_documents(api, [before], timeout_seconds=60, pause=lambda _: None))

    assert [each.reason for each in done] == ["empty"]


def test_a_document_that_is_late_is_named() -> None:
    before = DocumentRecord(document_id="d", name="late.pdf", state=DocumentState.AWAITING_UPLOAD, updated_at=1.0)
    waiting = [{"document_id": "d", "name": "late.pdf", "state": "ingesting", "updated_at": 1.0}]

    with documents_api(waiting, waiting) as api, pytest.raises(IngestTimeoutError, match=r"late\.pdf"):
        list(wait_for_documents(api, [before], timeout_seconds=-1, pause=lambda _: None))
