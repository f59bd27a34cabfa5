"""How an execution environment is killed, or hangs, at one of its own requests."""

from typing import Any

import msgspec

from local.cloud import ministack
from local.cloud.runtime import WorkerSettings
from local.cloud.strict.chances import Fate
from local.cloud.workers import PythonWorker, worker_factory


def apply(settings: WorkerSettings, fate: Fate) -> None:
    """Give each function environments that note their requests and die as fate wills.

    "Lambda execution environment lifecycle": an environment may be ended at any time, and a function is killed without
    notice where it runs out of memory (AWS guide, read 2026-11).
    """

    class WatchedWorker(PythonWorker):
        """An environment whose requests are counted, and which dies by SIGKILL at the one that fate has chosen."""

        def _write(self, message: dict[str, Any]) -> None:
            if "event" in message:
                crash = fate.crash_of(self.func_name)
                message = {**message, "watch": msgspec.to_builtins(crash) if crash else {}}
            super()._write(message)

        def _read(self, timeout_seconds: float) -> dict[str, Any]:
            response = super()._read(timeout_seconds)
            if "calls" in response:
                fate.calls[self.func_name] = response["calls"]
            return response

    runtime = ministack.module("core.lambda_runtime")
    ministack.replace(
        runtime, "_worker_class_for", worker_factory(settings, runtime._worker_class_for, kind=WatchedWorker)
    )
