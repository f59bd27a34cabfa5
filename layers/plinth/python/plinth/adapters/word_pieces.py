"""How many tokens a text is to all-MiniLM-L6-v2, by the tokenizer that lies beside the model."""

import importlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

MAX_TOKENS = 256
"""What the model reads of a text (sentence-transformers' `max_seq_length`), its two marks included."""
_MARKS = 2
_AT_ONCE = 512


class Encoding(Protocol):
    """A text's tokens."""

    ids: list[int]

    def __len__(self) -> int: ...


class Tokenizer(Protocol):
    """What is used of a Hugging Face tokenizer."""

    def encode(self, sequence: str) -> Encoding:
        """Return the tokens with the marks around them."""
        ...

    def encode_batch_fast(self, texts: Sequence[str], *, add_special_tokens: bool) -> list[Encoding]:
        """Return each text's tokens."""
        ...


def load_tokenizer(directory: Path, *, limit: int | None = None) -> Tokenizer:
    """Return the tokenizer of the folder's tokenizer.json, which pads nothing and cuts at the limit only."""
    loaded = importlib.import_module("tokenizers").Tokenizer.from_file(str(directory / "tokenizer.json"))
    loaded.no_padding()
    loaded.no_truncation()
    if limit is not None:
        loaded.enable_truncation(limit)
    tokenizer: Tokenizer = loaded
    return tokenizer


class WordPieceCounter:
    """`TokenCounter` over a folder with tokenizer.json, which is read on first use."""

    window = MAX_TOKENS - _MARKS

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the word pieces of each text, without the marks around it."""
        return [
            len(encoding)
            for start in range(0, len(texts), _AT_ONCE)
            for encoding in self._tokenizer.encode_batch_fast(texts[start : start + _AT_ONCE], add_special_tokens=False)
        ]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return load_tokenizer(self._directory)
