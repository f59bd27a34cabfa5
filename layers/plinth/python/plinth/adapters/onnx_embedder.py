"""How texts become vectors: all-MiniLM-L6-v2 in 8 bits, run in this process by ONNX Runtime."""

import importlib
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from plinth.adapters.word_pieces import MAX_TOKENS, Tokenizer, load_tokenizer

_MAX_THREADS = 2


class _Session(Protocol):
    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]: ...


class OnnxEmbedder:
    """`Embedder` over a folder with model.onnx and tokenizer.json, which are read on first use.

    A vector is the mean of the last layer over the text's first 256 tokens, at length 1. Texts go through the model
    one by one: a batch of eight made 256-token passages 1.7 times slower and took 760 MiB instead of 260
    (ONNX Runtime 1.32 without its memory arena, two cores, November 2026).
    """

    model_id = "all-MiniLM-L6-v2-int8"
    dimensions = 384
    max_tokens = MAX_TOKENS

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector of 384 numbers per text, in order; what is beyond 256 tokens has no effect."""
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        numpy = importlib.import_module("numpy")
        tokens = numpy.array([self._tokenizer.encode(text).ids], dtype=numpy.int64)
        inputs = {
            "input_ids": tokens,
            "attention_mask": numpy.ones_like(tokens),
            "token_type_ids": numpy.zeros_like(tokens),
        }
        mean = self._session.run(["last_hidden_state"], inputs)[0][0].mean(axis=0)
        vector: list[float] = (mean / numpy.linalg.norm(mean)).tolist()
        return vector

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return load_tokenizer(self._directory, limit=MAX_TOKENS)

    @cached_property
    def _session(self) -> _Session:
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.enable_cpu_mem_arena = False
        options.intra_op_num_threads = min(_MAX_THREADS, os.cpu_count() or 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session: _Session = runtime.InferenceSession(
            str(self._directory / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        return session
