"""How many execution environments start at a time: as many as this machine has cores, of which AWS has no end.

Seen on two cores: of a hundred questions, five a second, each step started dozens of environments side by side; none
was ready for minutes, and two runs in five met the limit of a step.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

from local.cloud import ministack
from local.cloud.workers import PythonWorker

_PAUSE_SECONDS = 0.01


def few_at_a_time() -> None:
    """Let a call that finds no free environment wait for the first that gets free, or for its turn to start one."""
    runtime, functions = ministack.module("core.lambda_runtime"), ministack.module("services.lambda_svc")
    ministack.require(runtime, "_workers", "_worker_key")
    ministack.require(functions, "acquire_worker", "release_worker")
    turns = threading.Semaphore(os.cpu_count() or 1)
    acquire: Callable[..., tuple[Any, str]] = functions.acquire_worker
    release: Callable[[Any], None] = functions.release_worker

    def acquire_in_turn(
        name: str, config: dict[str, Any], code_zip: bytes, qualifier: str = "$LATEST", **options: object
    ) -> tuple[Any, str]:
        key, has_turn = runtime._worker_key(name, config, qualifier), False
        while not has_turn and all(each.in_use for each in runtime._workers.get(key, ())):
            has_turn = turns.acquire(timeout=_PAUSE_SECONDS)
        worker, reason = acquire(name, config, code_zip, qualifier=qualifier, **options)
        if has_turn and reason == "spawn" and isinstance(worker, PythonWorker):
            worker.end_turn = turns.release
        elif has_turn:
            turns.release()
        return worker, reason

    def release_and_end_turn(worker: Any) -> None:  # noqa: ANN401 - a worker of ours or of ministack's
        if isinstance(worker, PythonWorker):
            worker.has_started()
        release(worker)

    ministack.replace(functions, "acquire_worker", acquire_in_turn)
    ministack.replace(functions, "release_worker", release_and_end_turn)
