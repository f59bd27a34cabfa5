"""How a Lambda execution environment is started, called, timed out and kept: one process that sees what AWS gives."""

import functools
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from local.cloud import ministack, worker
from local.cloud.runtime import WorkerSettings, import_folders, variables
from local.cloud.unpacked import unpacked

# AWS ends an init phase after 10 s and repeats it under the function's own timeout (lambda-runtime-environment).
_INIT_SECONDS = 10.0
_END_OF_LOG_SECONDS = 1.0


class FailureText(str):
    """An error message that carries its whole payload through ministack, which passes on text only."""

    payload: Mapping[str, Any]

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "FailureText":
        """Wrap {"errorMessage", "errorType", ...}."""
        text = cls(payload["errorMessage"])
        text.payload = payload
        return text


class WorkerFailedError(Exception):
    """An environment that is of no more use; the payload is what the caller of the function gets."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.payload = {"errorMessage": message, "errorType": error_type}


class PythonWorker:
    """One execution environment, with the attributes and methods that ministack's pool uses.

    Seen in ministack 1.5.33: its own worker inherits the host environment and site-packages, copies each layer per
    worker, reports every exception as Runtime.HandlerError, dies of it, and waits 50 ms for a log that is not written.
    """

    def __init__(self, settings: WorkerSettings, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        self.func_name = func_name
        self.config = config
        self.code_zip = code_zip
        self.in_use = False
        self.last_used = time.time()
        self.end_turn: Callable[[], None] | None = None
        self._settings = settings
        self._lock = threading.Lock()
        self._cold = True
        self._proc: subprocess.Popen[str] | None = None
        self._scratch: Path | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._log: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def invoke(self, event: object, request_id: str, **call: object) -> dict[str, Any]:
        """Run one invocation and return {"status", "result" | "error", "log", "cold_start"}.

        A handler that raises keeps its environment; a timeout, an exit or a failed import ends it. `call` holds
        `trace_id` and `invoked_function_arn`, and the loop depth and durable context that Plinth does not use.
        """
        with self._lock:
            self._cold = not self._runs()
            timeout_seconds = float(self.config.get("Timeout", 3))
            context = {
                "request_id": request_id,
                "invoked_function_arn": call.get("invoked_function_arn") or self.config.get("FunctionArn", ""),
                "trace_id": call.get("trace_id"),
                "timeout_ms": timeout_seconds * 1000,
            }
            try:
                if self._cold:
                    self._spawn()
                    self.has_started()
                self._write({"event": event, "ctx": context})
                response = self._read(timeout_seconds)
            except WorkerFailedError as error:
                self.kill()
                response = {"status": "error", "payload": error.payload}
            return self._outcome(response, self._log_of(request_id))

    def prepare(self) -> None:
        """Start the process and import the handler ahead of the first call, which repeats and reports what fails."""
        with self._lock:
            try:
                if not self._runs():
                    self._spawn()
            except WorkerFailedError:
                self.kill()

    def has_started(self) -> None:
        """Let the next environment start, if that waits for this one."""
        end_turn, self.end_turn = self.end_turn, None
        if end_turn is not None:
            end_turn()

    def kill(self) -> None:
        """End the process at once, as a frozen environment is ended."""
        process, self._proc = self._proc, None
        if process is not None:
            process.kill()
            process.wait()

    def _runs(self) -> bool:
        return self._proc is not None and self._proc.poll() is None

    def _spawn(self) -> None:
        code = unpacked(self.code_zip, self._settings.unpacked_folder)
        layers = [unpacked(content, self._settings.unpacked_folder) for content in self._layer_zips()]
        layers.reverse()
        self._discard_tmpdir()
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{self.func_name}-"))
        self._proc = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-X", "utf8", worker.__file__],
            cwd=code,
            env=variables(self.config, self._settings, code=code, layers=layers, scratch=self._scratch),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._answers = _lines_of(self._proc.stdout)
        self._log = _lines_of(self._proc.stderr)
        self._write(
            {
                "path": [str(code), *import_folders(layers), str(self._settings.runtime_folder)],
                "handler": self.config["Handler"],
                "function_name": self.func_name,
                "memory_mb": self.config.get("MemorySize", 128),
            }
        )
        response = self._read(_INIT_SECONDS + float(self.config.get("Timeout", 3)))
        if response["status"] == "error":
            failure = WorkerFailedError(response["payload"]["errorType"], response["payload"]["errorMessage"])
            failure.payload = response["payload"]
            raise failure

    def _layer_zips(self) -> list[bytes]:
        resolve = ministack.module("services.lambda_svc")._resolve_layer_zip
        contents = [resolve(layer) for layer in self.config.get("Layers", [])]
        return [content for content in contents if content]

    def _write(self, message: dict[str, Any]) -> None:
        if self._proc is None or self._proc.stdin is None:
            raise WorkerFailedError("Runtime.ExitError", "The runtime was stopped")
        try:
            self._proc.stdin.write(json.dumps(message) + "\n")
            self._proc.stdin.flush()
        except OSError:
            return  # the process is gone: reading its answer says how it ended

    def _read(self, timeout_seconds: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            raise WorkerFailedError("Sandbox.Timedout", f"Task timed out after {timeout_seconds:.2f} seconds") from None
        if line is None:
            raise WorkerFailedError("Runtime.ExitError", f"Runtime exited with error: {self._exit_status()}")
        response: dict[str, Any] = json.loads(line)
        return response

    def _exit_status(self) -> str:
        code = self._proc.wait() if self._proc else 0
        return f"signal: {-code}" if code < 0 else f"exit status {code}"

    def _log_of(self, request_id: str) -> str:
        """Return what was logged up to the mark that the worker writes after this invocation, or up to its end."""
        lines: list[str] = []
        deadline = time.monotonic() + _END_OF_LOG_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._log.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            text, mark, marked_request = line.partition(worker.END_OF_LOG)
            lines += [text] if text or not mark else []
            if marked_request == request_id:
                break
        return "\n".join(lines)

    def _outcome(self, response: dict[str, Any], log: str) -> dict[str, Any]:
        outcome = {"status": response["status"], "log": log, "cold_start": self._cold}
        if response["status"] == "ok":
            return {**outcome, "result": response["result"]}
        return {**outcome, "error": FailureText.of(response["payload"])}

    def _discard_tmpdir(self) -> None:
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)


def _lines_of(stream: IO[str] | None) -> "queue.SimpleQueue[str | None]":
    """Read a pipe in a thread of its own, so that a full pipe never blocks the worker; None marks its end."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in stream or ():
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def worker_factory(
    settings: WorkerSettings, otherwise: Callable[..., Any], *, kind: type[PythonWorker] = PythonWorker
) -> Callable[..., Any]:
    """Return the function that chooses a worker class for a function's configuration."""

    def choose(config: Mapping[str, Any]) -> object:
        if not str(config.get("Runtime", "")).startswith("python"):
            return otherwise(config)
        return functools.partial(kind, settings)

    return choose
