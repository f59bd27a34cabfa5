"""A server on loopback that answers each connection with scripted bytes, as slowly and wrongly as a test likes."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[bytes], Iterable[bytes]]
"""Gives the pieces of an answer to a request."""


def answer(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Return an answer with its length and, unless the headers name another, the type text/plain."""
    typed = (
        headers
        if any(each.lower().startswith(b"content-type") for each in headers)
        else (*headers, b"Content-Type: text/plain")
    )
    lines = [b"HTTP/1.1 " + status, *typed, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@dataclass(kw_only=True)
class WebServer:
    """`requests` are the heads that it was sent, `port` is where it listens."""

    script: Script
    port: int = 0
    requests: list[bytes] = field(default_factory=list[bytes])
    stopping: threading.Event = field(default_factory=threading.Event)

    def connect(self, _address: tuple[str, int], seconds: float) -> socket.socket:
        """Connect here, whatever the address: this server plays all hosts of the internet."""
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def serve(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=self._answer, args=(line, tls), daemon=True).start()

    def _answer(self, line: socket.socket, tls: ssl.SSLContext | None) -> None:
        with suppress(OSError), tls.wrap_socket(line, server_side=True) if tls else line as talking:
            head = b""
            while b"\r\n\r\n" not in head and (piece := talking.recv(65_536)):
                head += piece
            self.requests.append(head)
            for piece in self.script(head):
                talking.sendall(piece)


@contextmanager
def web_server(script: Script, *, tls: ssl.SSLContext | None = None) -> Generator[WebServer]:
    """Run a server until the block ends; a script that waits may wait for its `stopping`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = WebServer(script=script, port=listener.getsockname()[1])
        threading.Thread(target=server.serve, args=(listener, tls), daemon=True).start()
        try:
            yield server
        finally:
            server.stopping.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
