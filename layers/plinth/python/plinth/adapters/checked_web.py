"""How pages are fetched for a model: from checked addresses, without secrets, within bounds of size and time.

A host's name is resolved once and the connection is made to an address that was checked, so that a name which
resolves anew to something inside (rebinding) leads nowhere. One thread watches the clock: a server that sends a byte
now and then never lets a socket time out by itself.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from threading import Timer
from urllib.parse import urljoin

from plinth.contracts.tools import WebPage
from plinth.errors import PageUnreadableError
from plinth.memory.detection import codec_of
from plinth.tools.addresses import is_public
from plinth.tools.urls import Target, target_of

MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 3
CONTENT_TYPES = (
    "text/html",
    "text/plain",
    "text/markdown",
    "text/csv",
    "text/xml",
    "application/xhtml+xml",
    "application/xml",
    "application/json",
    "application/pdf",
)
_OLD_CHARSETS = re.compile(
    r"iso-8859-(?!1$)\d+|windows-\w+|koi8-[ru]|shift[_-]jis|euc-(?:jp|kr)|iso-2022-jp|gb(?:k|2312|18030)|big5(?:-hkscs)?"
)
"""What may be decoded as a header says: Python knows codecs that are none of text. Western text is told by itself."""
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {
    "User-Agent": "plinth",
    "Accept": ", ".join(CONTENT_TYPES),
    "Accept-Encoding": "identity",
    "Connection": "close",
}

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host for a port, or raises `OSError`."""
Connect = Callable[[tuple[str, int], float], socket.socket]
"""Connects to an address and port within seconds, or raises `OSError`."""


def resolve(host: str, port: int) -> list[str]:
    """Return what the system's resolver knows, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class CheckedWeb:
    """`Web` over sockets of its own: no proxy, cookie or credential of this machine is ever used."""

    def __init__(
        self,
        *,
        resolver: Resolve = resolve,
        connect: Connect = socket.create_connection,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._resolve = resolver
        self._connect = connect
        self._tls = tls or ssl.create_default_context()

    def get(self, url: str, *, hosts: Sequence[str], seconds: float) -> WebPage:
        """Return the page, or raise `PageUnreadableError` with words for the model."""
        deadline = time.monotonic() + seconds
        target = target_of(url, hosts=hosts)
        for _ in range(1 + MAX_REDIRECTS):
            answer = self._ask(target, deadline)
            if isinstance(answer, WebPage):
                return answer
            target = _following(target, answer, hosts)
        raise PageUnreadableError(f"the URL leads on more than {MAX_REDIRECTS} times")

    def _ask(self, target: Target, deadline: float) -> WebPage | str:
        """Return the page, or the place that it leads to."""
        try:
            with self._connected(target, self._address(target), deadline) as line:
                answer = _answer(target, line)
                _left(deadline)  # a page without a length that was cut looks whole
                return answer
        except (OSError, HTTPException) as error:
            if time.monotonic() >= deadline:
                raise PageUnreadableError(f"{target.host} took too long to answer") from error
            raise PageUnreadableError(f"{target.host} could not be read: {type(error).__name__}") from error

    def _address(self, target: Target) -> str:
        """Return an address of the host, if all that it has are public: one that is not speaks against the others."""
        addresses = self._resolve(target.host, target.port)
        if not addresses or not all(map(is_public, addresses)):
            raise PageUnreadableError(f"{target.host} is not on the public internet")
        return addresses[0]

    @contextmanager
    def _connected(self, target: Target, address: str, deadline: float) -> Generator[socket.socket]:
        """Give a connection that is cut at the deadline, whatever is being waited for."""
        line = self._connect((address, target.port), _left(deadline))
        if target.scheme == "https":
            line = self._tls.wrap_socket(line, server_hostname=target.host, do_handshake_on_connect=False)
        clock = Timer(_left(deadline), _cut, [line])
        clock.daemon = True
        clock.start()
        try:
            line.settimeout(_left(deadline))
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            yield line
        finally:
            clock.cancel()
            line.close()


def _following(target: Target, location: str, hosts: Sequence[str]) -> Target:
    """Return where a redirect leads, checked like any URL."""
    try:
        following = target_of(urljoin(target.url, location), hosts=hosts)
    except ValueError as error:
        raise PageUnreadableError(f"{target.host} leads to what is no URL") from error
    if target.scheme == "https" and following.scheme == "http":
        raise PageUnreadableError(f"{target.host} leads from https to http, which is not followed")
    return following


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _cut(line: socket.socket) -> None:
    """End the connection under whoever reads it, without TLS's farewell, which would wait for the other side."""
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _answer(target: Target, line: socket.socket) -> WebPage | str:
    connection = HTTPConnection(target.host, target.port)
    connection.sock = line
    connection.request("GET", target.path, headers={**_HEADERS, "Host": target.host})
    with closing(connection.getresponse()) as response:
        location = response.headers.get("Location")
        return location if response.status in _REDIRECTS and location else _page(target, response)


def _page(target: Target, response: HTTPResponse) -> WebPage:
    if response.status != 200:
        raise PageUnreadableError(f"{target.host} answered with status {response.status}")
    content_type = response.headers.get_content_type()
    if content_type not in CONTENT_TYPES:
        raise PageUnreadableError(f"the page is of type {content_type}; read are {', '.join(CONTENT_TYPES)}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PageUnreadableError("the page is compressed, though it was asked for as it is")
    body, charset = _body(response), response.headers.get_content_charset("")
    return WebPage(url=target.url, content_type=content_type, body=_in_utf8(body, content_type, charset))


def _in_utf8(body: bytes, content_type: str, charset: str) -> bytes:
    """Return a text page that is said to be in one of the old charsets in UTF-8, and all else as it is."""
    is_text = content_type.startswith("text/") or content_type.endswith("xml")
    if not is_text or not _OLD_CHARSETS.fullmatch(charset):
        return body
    with suppress(LookupError):
        return body.decode(codec_of(charset), errors="replace").encode()
    return body


def _body(response: HTTPResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := response.read1(65_536):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise PageUnreadableError(f"the page is larger than {MAX_BYTES // 1024**2} MB")
    if response.length:
        raise IncompleteRead(b"", response.length)
    return b"".join(pieces)
