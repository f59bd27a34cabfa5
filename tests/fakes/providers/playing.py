"""How a script is played to one client: events, pauses and the fault, down to the byte."""

import ssl
import threading
import time
from contextlib import suppress
from types import ModuleType
from typing import Any

from tests.fakes.providers.books import Call
from tests.fakes.providers.scripts import Fault, Script

_DRIP_SECONDS = 0.05


class Play:
    """One script, played to one client."""

    def __init__(self, handler: Any, protocol: ModuleType, call: Call, *, ended: threading.Event) -> None:
        self._handler = handler
        self._ended = ended
        self._protocol = protocol
        self._call = call
        self._script = call.script
        self._fault = call.script.fault or Fault(kind="cut", at=-1)
        self._sent = 0

    def run(self, content_type: str) -> None:
        try:
            self._run(content_type)
        except (OSError, ValueError):
            self._call.left = True
            self._handler.close_connection = True

    def _run(self, content_type: str) -> None:
        if self._script.bills:
            told = getattr(self._protocol, "told", lambda usage: usage)
            self._call.bill = told(self._script.usage)
        match self._fault.kind:
            case "status" | "status_stall" as kind:
                status, headers, body = self._protocol.refusal(self._fault)
                more = {"retry-after": self._fault.retry_after, "location": self._fault.location}
                told = {name: value for name, value in more.items() if value}
                if kind == "status_stall":
                    self._handler.answer(status, {**headers, **told, "content-length": "1000"}, body[:1])
                    self._wait(self._fault.seconds)
                else:
                    self._handler.answer(status, {**headers, **told}, body + b" " * self._fault.at)
            case "wrong_type":
                self._handler.answer(200, {}, b"<html>Please sign in</html>", "text/html; charset=utf-8")
            case "hang_up":
                self._hang_up()
            case kind:
                if kind == "silent":
                    self._wait(self._fault.seconds)
                self._stream(content_type)

    def _stream(self, content_type: str) -> None:
        self._handler.send_response(200)
        self._handler.send_header("content-type", content_type)
        self._handler.send_header("transfer-encoding", "chunked")
        self._handler.end_headers()
        for number, event in enumerate(self._events()):
            self._before(number)
            if not self._send(event):
                return
            if self._script.pause_seconds:
                self._wait(self._script.pause_seconds)
        if self._fault.kind == "linger":
            self._wait(self._fault.seconds)
        self._handler.wfile.write(b"0\r\n\r\n")

    def _events(self) -> list[bytes]:
        script, fault, protocol = self._script, self._fault, self._protocol
        if fault.kind == "oversized":
            script = Script(text=("much too long " * 100,) * (fault.at // 1400 + 1), usage=script.usage)
        if fault.kind == "long_line":
            script = Script(text=("x" * fault.at,), usage=script.usage)
        events: list[bytes] = protocol.events(script, self._call.model)
        if fault.kind == "error_event":
            return [*events[: fault.at], protocol.error_event(fault)]
        if fault.kind == "garbled":
            return [*events[: fault.at], protocol.garbled(), *events[fault.at :]]
        return events

    def _before(self, number: int) -> None:
        fault = self._fault
        if fault.kind == "slow_first" and number == 0:
            self._wait(fault.seconds)
        if fault.kind == "stall" and number == fault.at:
            self._wait(fault.seconds)
        if fault.kind == "drip" and number == fault.at:
            ends = time.monotonic() + fault.seconds
            while time.monotonic() < ends:
                for byte in self._protocol.COMMENT:
                    self._wait(_DRIP_SECONDS)
                    self._chunk(bytes([byte]))

    def _send(self, event: bytes) -> bool:
        """Send an event, or what of it comes before the fault; return whether to go on."""
        fault = self._fault
        if fault.kind in ("cut", "end") and fault.at >= 0 and self._sent + len(event) > fault.at:
            self._chunk(event[: fault.at - self._sent])
            if fault.kind == "end":
                self._handler.wfile.write(b"0\r\n\r\n")
            else:
                self._hang_up()
            return False
        self._chunk(event)
        self._sent += len(event)
        return True

    def _chunk(self, body: bytes) -> None:
        size = self._script.piece_bytes or len(body)
        for start in range(0, len(body), size or 1):
            piece = body[start : start + size]
            self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _hang_up(self) -> None:
        self._handler.close_connection = True

    def _wait(self, seconds: float) -> None:
        """Wait, but no longer than the client does: one that leaves is noticed at once."""
        ends = time.monotonic() + seconds
        connection = self._handler.connection
        while (left := ends - time.monotonic()) > 0 and not self._ended.is_set():
            connection.settimeout(min(left, 0.05))
            with suppress(TimeoutError, ssl.SSLWantReadError):
                if connection.recv(1) == b"":
                    raise ConnectionResetError("the client has left")
        connection.settimeout(None)
