"""Which functions get an environment before their first call: those of Express machines, whose answer is waited for."""

import contextvars
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.cloud import ministack
from local.cloud.workers import PythonWorker

_FUNCTION_ARN = re.compile(r"arn:aws:lambda:[\w:$-]+")


def apply() -> None:
    """Prepare functions whenever a stack was deployed.

    Not at a start on saved state: on two cores it delayed the first answer after it (a stored one) from 3 s to 5 s.

    AWS too may start an environment ahead of the first call ("Lambda execution environment lifecycle", proactive
    initialization, read 2026-11). One thread does so for one function after the other: a call that comes before it
    starts the environment itself, a call that comes meanwhile waits for it.
    """
    ready = ThreadPoolExecutor(1, thread_name_prefix="prepare")

    def prepare() -> None:
        for worker in list(_new_workers()):
            ready.submit(contextvars.copy_context().run, worker.prepare)

    for owner in ("handlers", "changesets"):
        _after_deployment(ministack.module(f"services.cloudformation.{owner}"), prepare)


def _after_deployment(owner: Any, act: Callable[[], None]) -> None:  # noqa: ANN401 - a module of ministack
    ministack.require(owner, "_deploy_stack_async")
    deploy: Callable[..., Coroutine[Any, Any, None]] = owner._deploy_stack_async

    async def deploy_and_act(*args: object, **options: object) -> None:
        await deploy(*args, **options)
        act()

    ministack.replace(owner, "_deploy_stack_async", deploy_and_act)


def _new_workers() -> Iterator[PythonWorker]:
    """Put a worker into the pool of each function that has none.

    Called where functions are changed too, on ministack's event loop, so that none is made of code just replaced.
    """
    machines = ministack.module("services.stepfunctions")
    functions = ministack.module("services.lambda_svc")
    runtime = ministack.module("core.lambda_runtime")
    ministack.require(machines, "_state_machines")
    ministack.require(functions, "_get_func_record_for_ref")
    ministack.require(runtime, "_workers", "_worker_key", "get_or_create_worker")
    express = [machine for machine in machines._state_machines.values() if machine["type"] == "EXPRESS"]
    for arn in dict.fromkeys(arn for machine in express for arn in _FUNCTION_ARN.findall(machine["definition"])):
        function, config, name = functions._get_func_record_for_ref(arn)
        if not function or not function.get("code_zip"):
            continue
        qualifier = config.get("Version", "$LATEST")
        if not runtime._workers.get(runtime._worker_key(name, config, qualifier)):
            worker = runtime.get_or_create_worker(name, config, function["code_zip"], qualifier)
            if isinstance(worker, PythonWorker):
                yield worker
