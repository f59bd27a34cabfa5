"""What one Lambda execution environment does: import the handler once, then answer one event a line.

Run as a script by a bare interpreter (`python -I -S`), so it imports the standard library only. It speaks JSON lines:
the first line read is the start order {"path", "handler", "function_name", "memory_mb"}, each further line an
invocation {"event", "ctx"}; each line written is {"status": "ready" | "ok" | "error", ...}. With "watch" in an
invocation (strict mode) the answer has "calls", the names of the requests that it made. Errors carry the payload
that the AWS Python runtime reports (aws-lambda-python-runtime-interface-client, bootstrap.py, read 2026-11).
"""

import http.client
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import IO, Any

END_OF_LOG = "\x1e"

Handler = Callable[[Any, "Context"], Any]
Connection = http.client.HTTPConnection


class InitError(Exception):
    """The handler could not be loaded; `error_type` is the name that AWS gives the reason."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class Context:
    """The second argument of a handler, with the attributes of the AWS context object."""

    identity: None = None
    client_context: None = None

    def __init__(self, order: dict[str, Any], call: dict[str, Any]) -> None:
        self.function_name = str(order["function_name"])
        self.memory_limit_in_mb = str(order["memory_mb"])
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self.invoked_function_arn = str(call["invoked_function_arn"])
        self.aws_request_id = str(call["request_id"])
        self._deadline = time.monotonic() + call["timeout_ms"] / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until this invocation times out, never negative."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class Watch:
    """Counts the requests of one invocation, and kills or hangs the process at the one that `crash` names, if any.

    A request to AWS is named by its action, another by its method and path.
    """

    current: "Watch | None" = None

    def __init__(self, crash: dict[str, Any]) -> None:
        self.calls: list[str] = []
        self._crash = crash
        self._met = 0

    def begins(self, name: str) -> bool:
        """Note a request before it is sent; return whether the crash waits for its answer."""
        self.calls.append(name)
        if not self._crash or not name.startswith(self._crash["call"]):
            return False
        self._met += 1
        if self._met != self._crash["nth"]:
            return False
        if self._crash["when"] == "before":
            self.strike()
        return True

    def strike(self) -> None:
        """End the process as the kernel would, or stop it where it stands."""
        os.kill(os.getpid(), signal.SIGKILL if self._crash["how"] == "kill" else signal.SIGSTOP)

    @classmethod
    def begin(cls, crash: dict[str, Any]) -> None:
        """Watch the invocation that begins now."""
        if cls.current is None:
            cls.install()
        cls.current = cls(crash)

    @classmethod
    def install(cls) -> None:
        """Look at every request of http.client, in which boto3 and opensearch-py end."""
        put_request, put_header = Connection.putrequest, Connection.putheader
        end_headers: Callable[..., None] = Connection.endheaders
        get_response = Connection.getresponse
        names: dict[int, str] = {}
        awaited: set[int] = set()

        def named_request(self: Connection, method: str, url: str, *given: bool, **options: bool) -> None:
            names[id(self)] = f"{method} {url.partition('?')[0]}"
            put_request(self, method, url, *given, **options)

        def named_header(self: Connection, header: str, *values: str | bytes) -> None:
            if header.lower() == "x-amz-target":
                target = values[0] if isinstance(values[0], str) else values[0].decode()
                names[id(self)] = target.rpartition(".")[2]
            put_header(self, header, *values)

        def watched_end(self: Connection, body: object = None, *, encode_chunked: bool = False) -> None:
            if cls.current and cls.current.begins(names.get(id(self), "")):
                awaited.add(id(self))
            end_headers(self, body, encode_chunked=encode_chunked)

        def watched_response(self: Connection) -> http.client.HTTPResponse:
            response = get_response(self)
            if cls.current and id(self) in awaited:
                cls.current.strike()
            return response

        replacements = (named_request, named_header, watched_end, watched_response)
        for name, value in zip(("putrequest", "putheader", "endheaders", "getresponse"), replacements, strict=True):
            setattr(Connection, name, value)


def load_handler(name: str) -> Handler:
    """Import `module.function`; raise InitError with the error type that AWS reports."""
    module_name, _, function_name = name.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    try:
        handler: Handler = getattr(module, function_name)
    except AttributeError as error:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise InitError("Runtime.HandlerNotFound", message) from error
    return handler


def error_payload(error: BaseException) -> dict[str, Any]:
    """Return {"errorMessage", "errorType", "stackTrace"}: the class without its module, no frames of this file."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return {
        "errorMessage": str(error),
        "errorType": getattr(error, "error_type", type(error).__name__),
        "stackTrace": traceback.format_list(frames),
    }


def answer(handler: Handler, event: object, context: Context) -> str:
    """Call the handler and return the line to write: its result, or what it raised."""
    try:
        result = handler(event, context)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
        print(traceback.format_exc(), file=sys.stderr)  # noqa: T201 - stderr is the function's log
        return json.dumps({"status": "error", "payload": error_payload(error)})
    calls = {"calls": Watch.current.calls} if Watch.current else {}
    try:
        return json.dumps({"status": "ok", "result": result, **calls})
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return json.dumps({"status": "error", "payload": error_payload(InitError("Runtime.MarshalError", message))})


def read_lines(source: IO[str], lines: "queue.SimpleQueue[str]") -> None:
    """Pass lines on; when the launcher closes the pipe or dies, end at once, even in the middle of a handler."""
    for line in source:
        lines.put(line)
    os._exit(0)


def set_trace_id(trace_id: str | None) -> None:
    """Set the reserved X-Ray variable, which changes with each invocation."""
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def main() -> None:
    """Serve invocations until the launcher goes; print() and C code write to the log, never among the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=read_lines, args=(sys.stdin, lines), daemon=True).start()

    def write(line: str) -> None:
        answers.write(line + "\n")
        answers.flush()

    order = json.loads(lines.get())
    sys.path[:0] = order["path"]
    try:
        handler = load_handler(order["handler"])
    except Exception as error:  # noqa: BLE001 - whatever an import raises is the reason that AWS reports
        write(json.dumps({"status": "error", "payload": error_payload(error)}))
        return
    write(json.dumps({"status": "ready"}))
    while True:
        message = json.loads(lines.get())
        call = message["ctx"]
        set_trace_id(call["trace_id"])
        if "watch" in message:
            Watch.begin(message["watch"])
        line = answer(handler, message["event"], Context(order, call))
        sys.stderr.write(f"{END_OF_LOG}{call['request_id']}\n")
        sys.stderr.flush()
        write(line)


if __name__ == "__main__":
    main()
