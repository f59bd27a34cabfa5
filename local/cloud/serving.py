"""How ministack is patched, served on loopback, and stopped with its state saved."""

import asyncio
import importlib
import os
import resource
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypercorn.config import Config

from local.cloud import ministack, patches, readiness, rights, strict
from local.cloud.runtime import WorkerSettings, link_runtime
from local.cloud.strict.chances import Fate
from local.cloud.strict.control import with_control
from local.processes import LOOPBACK


def serve(*, port: int, home: Path, worker_environment: Mapping[str, str], be_strict: bool) -> None:
    """Serve until SIGTERM or SIGINT, then save the state and end the process."""
    settings = WorkerSettings(
        unpacked_folder=home / "tmp" / "unpacked",
        runtime_folder=home / "tmp" / "runtime",
        environment=worker_environment,
    )
    tempfile.tempdir = None
    settings.unpacked_folder.mkdir()
    link_runtime(settings.runtime_folder)
    patches.apply(settings)
    fate = strict.apply(settings) if be_strict else None
    rights.note_denials(home / "logs" / "denials.txt")
    readiness.apply()
    _allow_many_files()
    asyncio.run(_serve(port, fate))


async def _serve(port: int, fate: Fate | None) -> None:
    app = ministack.module("app")
    ministack.require(app, "app", "save_all", "_build_persistence_save_dict")
    application = with_control(app.app, fate) if fate else app.app
    config = Config()
    config.bind = [f"{LOOPBACK}:{port}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    async def save_and_end() -> None:
        """End in the middle of calls: ministack's own shutdown (1.5.33) first waits for them, minutes if need be."""
        await stopped.wait()
        app.save_all(app._build_persistence_save_dict())
        os._exit(0)

    serve_asgi = importlib.import_module("hypercorn.asyncio").serve
    await serve_asgi(application, config, shutdown_trigger=save_and_end)


def _allow_many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
