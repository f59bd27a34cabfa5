"""A scripted provider on loopback: Anthropic's, OpenAI's and SageMaker's protocols, which fail as they are told to."""

import json
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, TracebackType
from typing import Any

from tests.fakes.providers import anthropic_messages, openai_chat, sagemaker_route, sagemaker_runtime
from tests.fakes.providers.books import Books, as_json
from tests.fakes.providers.playing import Play
from tests.fakes.providers.scripts import Named, Script

_EVENTS = "text/event-stream"
_FRAMES = "application/vnd.amazon.eventstream"


@dataclass(frozen=True, slots=True)
class _Protocol:
    name: str
    path: re.Pattern[str]
    sounds: ModuleType
    content_type: str


_PROTOCOLS = (
    _Protocol("anthropic", re.compile("/v1/messages()"), anthropic_messages, _EVENTS),
    _Protocol("openai", re.compile("/v1/chat/completions()"), openai_chat, _EVENTS),
    _Protocol("route", re.compile("/endpoints/([^/]+).*/openai/v1/chat/completions"), sagemaker_route, _EVENTS),
    _Protocol("sagemaker", re.compile("/endpoints/([^/]+)/invocations-response-stream"), sagemaker_runtime, _FRAMES),
)


def _protocol(path: str) -> tuple[_Protocol | None, str]:
    """Return the protocol of a path, and the endpoint that the path names."""
    for protocol in _PROTOCOLS:
        match = protocol.path.fullmatch(path.partition("?")[0])
        if match:
            return protocol, match[1]
    return None, ""


class ProviderServer:
    """All protocols on one port, served from threads for as long as the `with` lasts.

    `books` chooses the scripts and keeps calls and bills. Base URLs: `url` for Anthropic and SageMaker, `url + "/v1"`
    for OpenAI.
    """

    def __init__(
        self, *, port: int = 0, scripts: dict[str, Script] | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self.books = Books(named=Named(scripts or {}))
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._scheme = "http"
        if context is not None:
            self._scheme = "https"
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "ProviderServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave, on purpose."""


def _handler(provider: ProviderServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
            protocol, endpoint = _protocol(self.path)
            if protocol is None:
                self.answer(404, {}, b'{"error": {"message": "no such path"}}')
                return
            try:
                call = provider.books.open(
                    protocol.name, body.get("model") or endpoint, dict(self.headers.items()), body
                )
            except KeyError as error:
                told = {"error": {"code": "unknown_script", "message": str(error)}}
                self.answer(400, {}, json.dumps(told).encode())
            else:
                call.port = self.client_address[1]
                Play(self, protocol.sounds, call, ended=provider.closing).run(protocol.content_type)

        def do_GET(self) -> None:
            calls = [as_json(call) for call in list(provider.books.calls)]
            told = {"/_calls": calls, "/_bills": [{"model": m, **asdict(u)} for m, u in provider.books.bills()]}
            self.answer(200, {}, json.dumps(told.get(self.path, {"status": "ok"})).encode())

        def answer(self, status: int, headers: dict[str, str], body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    return Handler
