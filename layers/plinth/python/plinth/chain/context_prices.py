"""What contexts cost, told before anything is sent: of a file from its size, of a split document to the micro-dollar.

Of a file more is told than it will cost: that much is the most that its contexts may cost, and a document that could
cost more once it is split is refused instead.
"""

from collections.abc import Iterable, Sequence

from plinth.chain.catalogue import CatalogueModel
from plinth.chain.contexts import context_prompt, output_tokens
from plinth.chain.prompting import input_token_bound
from plinth.contracts.context_orders import ContextEstimate
from plinth.contracts.memory import Passage
from plinth.memory.context_windows import BEGINNING_CHARACTERS, WINDOW_PASSAGES
from plinth.memory.splitting import MAX_PASSAGES, PASSAGE_CHARACTERS
from plinth.money.prices import bound_micro_usd, price_of

TRIES = 2
"""Calls of a window that may be billed: one whose reply is none is made once more."""
_USUAL_PASSAGE, _SHORT_PASSAGE = 450, 200
"""Bytes. The samples' passages have 420 characters; a document whose passages have fewer than 200 has few words."""
_CHARACTERS_PER_TOKEN = 4
_USUAL_OUTPUT_TOKENS = 40
_TEXT_PER_BYTE = {
    "html": (0.6, 1.0),
    "pdf": (0.25, 2.0),
    "word": (1.5, 8.0),
    "json": (1.5, 5.0),
    "csv": (1.5, 5.0),
}
"""How many bytes of text a byte of the file has, usually and at most: some are packed, some told in words."""


Alike = tuple[int, int, int]
"""Windows that are alike: the bound of each one's prompt, the number of its passages, and how many there are."""


def most_micro_usd(chosen: CatalogueModel, windows: Iterable[Alike]) -> int:
    """Return the most that windows cost."""
    price = price_of(chosen.id)
    return sum(
        TRIES
        * count
        * bound_micro_usd(
            price,
            input_token_bound=input_tokens,
            max_output_tokens=output_tokens(passages, limit=chosen.max_output_tokens),
        )
        for input_tokens, passages, count in windows
    )


def window_bounds(title: str, beginning: str, windows: Iterable[Sequence[Passage]]) -> list[Alike]:
    """Return what `most_micro_usd` needs to know of windows."""
    return [(input_token_bound(context_prompt(title, beginning, each)), len(each), 1) for each in windows]


def estimate(chosen: CatalogueModel, *, size_bytes: int, content_type: str) -> ContextEstimate:
    """Return what the contexts of a file will cost, from its size and type alone."""
    usual, most = next((ratio for kind, ratio in _TEXT_PER_BYTE.items() if kind in content_type), (1.0, 1.2))
    expected = _windows(chosen, size_bytes * usual, _USUAL_PASSAGE, BEGINNING_CHARACTERS)
    bound = _windows(chosen, size_bytes * most, _SHORT_PASSAGE, 2 * BEGINNING_CHARACTERS)
    price = price_of(chosen.id)
    expected_micro_usd = sum(
        count
        * bound_micro_usd(
            price,
            input_token_bound=input_bytes // _CHARACTERS_PER_TOKEN,
            max_output_tokens=_USUAL_OUTPUT_TOKENS * passages,
        )
        for input_bytes, passages, count in expected
    )
    return ContextEstimate(
        model=chosen.id, expected_micro_usd=expected_micro_usd, most_micro_usd=most_micro_usd(chosen, bound)
    )


def _windows(chosen: CatalogueModel, text_bytes: float, passage_bytes: int, beginning_bytes: int) -> list[Alike]:
    """Return the windows of a text of such passages."""
    passages = min(MAX_PASSAGES, int(text_bytes / passage_bytes) + 1)
    each_bytes = (
        min(passage_bytes, text_bytes)
        if passages < MAX_PASSAGES
        else min(text_bytes / passages, 4 * PASSAGE_CHARACTERS)
    )
    in_window = max(1, min(WINDOW_PASSAGES, int(chosen.passage_characters / max(each_bytes, 1))))
    frame = input_token_bound(context_prompt("", "", [Passage(position=0, text="")] * in_window))
    prompt_bytes = frame + int(min(beginning_bytes, text_bytes)) + int(in_window * 1.1 * each_bytes)
    whole, rest = divmod(passages, in_window)
    return [(prompt_bytes, in_window, whole), (prompt_bytes, rest, int(rest > 0))]
