"""How llama.cpp runs a model file: threads, context, slots, and a private loopback port that only the facade knows."""

import importlib
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from local.models.errors import ModelLoadError

CONTEXT_TOKENS = 4096
"""Per request; a longer prompt is refused by the model server."""

_SLOTS = 2
_MAX_THREADS = 8


class _LlamaServer(Protocol):
    listening_address: str


class LlamaEngine:
    """One model in llama.cpp's own HTTP server, loaded in the background and private to this process.

    Two slots: a second request does not wait for the first, and two prompt prefixes stay cached.
    Half of the cores decode and all of them prefill, at most eight: decoding is bound by memory, and idle OpenMP
    threads must sleep, or a busy machine falls to a token a second (measured on two cores, November 2026).
    xllamacpp holds the interpreter while it loads (0.5 s the small model, 2 s the demo model), so what arrives in
    that time waits and is answered late.
    """

    def __init__(self, model_file: Path, *, alias: str) -> None:
        self.api_key = secrets.token_urlsafe(24)
        self.error: ModelLoadError | None = None
        self._model_file = model_file
        self._alias = alias
        self._server: _LlamaServer | None = None
        self._loader: threading.Thread | None = None

    @property
    def address(self) -> str | None:
        """Return `http://127.0.0.1:<port>` once the model is loaded, None before."""
        return self._server.listening_address if self._server else None

    def start(self, *, on_failure: Callable[[], None]) -> None:
        """Begin to load in a thread, which calls `on_failure` if it fails; `address` and `error` say how it went."""
        self._loader = threading.Thread(target=self._load, args=(on_failure,), name="load-model")
        self._loader.start()

    def stop(self) -> None:
        """Wait for a load under way and release the model."""
        if self._loader is not None:
            self._loader.join()
        self._server = None

    def _load(self, on_failure: Callable[[], None]) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        cores = min(os.cpu_count() or 1, _MAX_THREADS)
        llama = importlib.import_module("xllamacpp")
        params = llama.CommonParams()
        params.model.path = str(self._model_file)
        params.model_alias = {self._alias}
        params.n_ctx, params.n_parallel = _SLOTS * CONTEXT_TOKENS, _SLOTS
        params.cpuparams.n_threads, params.cpuparams_batch.n_threads = max(1, cores // 2), cores
        params.api_keys = [self.api_key]
        params.hostnames, params.port = ["127.0.0.1"], 0
        params.ui = params.endpoint_slots = params.fit_params = False
        params.verbosity = 1
        try:
            self._server = cast("_LlamaServer", llama.Server(params))
        except RuntimeError as error:
            self.error = ModelLoadError(
                f"llama.cpp could not load {self._model_file} (its reason is above): is it a GGUF file, and whole?"
            )
            self.error.__cause__ = error
            on_failure()
