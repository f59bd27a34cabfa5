"""How one HTTP exchange with the API goes: the key on every request, and each failure as an error of its own."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from client.errors import ApiError, NotReachableError
from client.records import Upload
from client.sse import lines_of

_Answered = TypeVar("_Answered")
_TIMEOUT = httpx.Timeout(40.0, connect=5.0)
"""Longer than the 25 s that `Prefer: wait` may take."""
_UPLOAD_TIMEOUT = httpx.Timeout(300.0, connect=5.0)
_STREAM_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""The API sends a heartbeat every 10 s: three missed ones mean that the connection is dead."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Problem(msgspec.Struct):
    detail: str = ""
    code: str = ""


class NothingFollowsError(Exception):
    """The end of an event stream, not a failure: its reader has every event of a run that has ended."""


class Wire:
    """The HTTP side of the client. `transport` replaces the network, for tests."""

    def __init__(self, base_url: str, *, key: str, transport: httpx.BaseTransport | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = {"Authorization": f"Bearer {key}"}
        on_this_machine = urlsplit(base_url).hostname in _LOOPBACK
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport, trust_env=not on_this_machine)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, *, into: type[_Answered], body: object = None) -> _Answered:
        """Return the answer's JSON as `into`."""
        return decoded(self.send(method, path, body=body), into)

    def send(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Return a successful answer; raise `ApiError` for any other."""
        sent = {**self._key, **(headers or {})}
        with _reaching(self._base_url):
            response = self._http.request(
                method,
                f"{self._base_url}{path}",
                headers=sent | ({"Content-Type": "application/json"} if body is not None else {}),
                content=None if body is None else msgspec.json.encode(body),
            )
        return _accepted(response)

    def lines(self, path: str, *, headers: Mapping[str, str]) -> Iterator[str]:
        """Yield the lines of an event stream until either side ends it, or raise `NothingFollowsError`."""
        sent = {**self._key, "Accept": "text/event-stream", **headers}
        with (
            _reaching(self._base_url),
            self._http.stream("GET", f"{self._base_url}{path}", headers=sent, timeout=_STREAM_TIMEOUT) as response,
        ):
            if response.is_error:
                response.read()
            _accepted(response)
            if response.status_code == HTTPStatus.NO_CONTENT:
                raise NothingFollowsError
            yield from lines_of(response.iter_bytes())

    def put_file(self, upload: Upload, path: Path) -> None:
        """Send a file as the signed request says; the API's key never goes there."""
        with path.open("rb") as file, _reaching(upload.url):
            response = self._http.request(
                upload.method, upload.url, headers=upload.headers, content=file, timeout=_UPLOAD_TIMEOUT
            )
        if response.is_error:
            raise ApiError(f"the store refused {path}", status=response.status_code, code="upload_refused")

    def get_file(self, url: str) -> bytes:
        """Return what a signed link gives; the API's key never goes there."""
        with _reaching(url):
            response = self._http.get(url, timeout=_UPLOAD_TIMEOUT)
        if response.is_error:
            raise ApiError("the store refused a link", status=response.status_code, code="download_refused")
        return response.content


@contextmanager
def _reaching(url: str) -> Generator[None]:
    try:
        yield
    except httpx.TransportError as error:
        host = urlsplit(url)
        raise NotReachableError(
            f"nothing answers at {host.scheme}://{host.netloc} ({type(error).__name__}): "
            "is it running? `plinth status` tells"
        ) from error


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    retry_after = response.headers.get("Retry-After", "")
    raise ApiError(
        problem.detail or f"the server answered {response.status_code} {response.reason_phrase}",
        status=response.status_code,
        code=problem.code or "unexpected_answer",
        retry_after_seconds=float(retry_after) if retry_after.isdigit() else None,
    )


def decoded(response: httpx.Response, into: type[_Answered]) -> _Answered:
    """Return the JSON of an answer as `into`, or raise `ApiError` where it is something else."""
    try:
        return msgspec.json.decode(response.content, type=into)
    except msgspec.MsgspecError as error:
        raise ApiError(
            f"the answer of {response.request.url.path} is not what this client knows: {error}",
            status=response.status_code,
            code="unexpected_answer",
        ) from error
