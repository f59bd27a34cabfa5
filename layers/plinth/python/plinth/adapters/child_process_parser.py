"""How an untrusted file is parsed: in a child process with limits, no credentials in sight, and a deadline."""

import os
import subprocess
import sys

import msgspec

from plinth.adapters.parsers import REFUSED_EXIT_CODE
from plinth.contracts.memory import ParsedDocument, SourceObject
from plinth.errors import DocumentRefusedError


class _Refusal(msgspec.Struct):
    reason: str
    message: str


class ChildProcessParser:
    """`DocumentParser` that starts one short-lived Python per document. The environment holds the module path only."""

    def __init__(self, *, timeout_seconds: float = 40.0) -> None:
        self._timeout_seconds = timeout_seconds

    def parse(self, name: str, source: SourceObject) -> ParsedDocument:
        """Return the document's text; a crash, a limit or the deadline is a refusal like any other."""
        try:
            child = subprocess.run(
                [sys.executable, "-m", "plinth.adapters.parsers", name],
                input=source.body,
                capture_output=True,
                timeout=self._timeout_seconds,
                env={"PYTHONPATH": os.pathsep.join(sys.path), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"reading it took over {self._timeout_seconds:.0f} s; split it or export it anew"
            raise DocumentRefusedError("too_slow_to_read", message) from error
        if child.returncode == 0:
            return msgspec.json.decode(child.stdout, type=ParsedDocument)
        if child.returncode == REFUSED_EXIT_CODE:
            refusal = msgspec.json.decode(child.stdout, type=_Refusal)
            raise DocumentRefusedError(refusal.reason, refusal.message)
        raise DocumentRefusedError(
            "unreadable", f"the reader stopped with status {child.returncode} (damaged, or a bomb); export it anew"
        )
