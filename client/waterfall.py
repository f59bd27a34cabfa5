"""How the steps of a run are shown on a terminal: a line each, one more for each try that failed, and a bar of time."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from client.display import dollars, plain
from plinth.contracts.events import Details
from plinth.contracts.traces import TracedStep, TracedTry

_BAR_WIDTH = 24
_NAME_WIDTH = 34
_SAID_ELSEWHERE = frozenset({"owner", "claimed", "outcome", "saved", "done", "turns", "corpus_version", "number"})
_OF_A_CALL = frozenset(
    {
        "model",
        "input_tokens",
        "output_tokens",
        "cached_input_tokens",
        "cache_write_tokens",
        "cost_micro_usd",
        "estimated",
    }
)


def waterfall(steps: Sequence[TracedStep]) -> Text:
    """Return the steps: when each began, how long it took, and what it tells of itself; within 80 columns.

    In a bar, `█` is work, and `░` waiting: for a function, or between tries.
    """
    whole_ms = max((each.start_ms + each.duration_ms for each in steps), default=0.0) or 1.0
    head = f"{'step':<{_NAME_WIDTH}} {'start ms':>8} {'took ms':>8}"
    return Text("\n".join([head, *(line.rstrip() for each in steps for line in _lines(each, whole_ms))]))


def _lines(step: TracedStep, whole_ms: float) -> Iterator[str]:
    for tried in step.tries:
        yield _line(f"  try {tried.retry + 1} ({plain(tried.outcome)})", tried, whole_ms)
    unsaid = step.retries - sum(tried.retry < step.retries for tried in step.tries)
    if unsaid > 0:
        yield f"  {unsaid} more tr{'y' if unsaid == 1 else 'ies'} left no word"
    notes = [*(["cold"] if step.cold else []), *([plain(step.outcome)] if step.outcome != "ok" else [])]
    name = plain(step.step) + "".join(f" ({note})" for note in notes)
    yield _line(name, step, whole_ms, waited_ms=0.0 if step.tries else step.wait_ms)
    if said := told(step.details):
        yield f"    {said}"


def _line(name: str, each: TracedStep | TracedTry, whole_ms: float, *, waited_ms: float = 0.0) -> str:
    before = int(each.start_ms / whole_ms * _BAR_WIDTH)
    waited = min(int(waited_ms / whole_ms * _BAR_WIDTH), before)
    bar = " " * (before - waited) + "░" * waited + "█" * max(1, round(each.duration_ms / whole_ms * _BAR_WIDTH))
    return f"{name:<{_NAME_WIDTH}} {each.start_ms:>8.0f} {each.duration_ms:>8.0f} {bar}"


def told(details: Details) -> str:
    """Return what a step tells of itself in one line: its model call first, then its other details."""
    others = [
        f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"
        for name, value in details.items()
        if name not in _SAID_ELSEWHERE | _OF_A_CALL
        and value not in (0, "")
        and not (name in ("turn", "attempt") and value == 1)
    ]
    return plain(", ".join([*_call(details), *others]))


def _call(details: Details) -> list[str]:
    if "model" not in details:
        return []
    read = int(details.get("cached_input_tokens", 0))
    tokens = int(details.get("input_tokens", 0)) + read + int(details.get("cache_write_tokens", 0))
    cached = f" ({read} cached)" if read else ""
    cost = f"{'at most ' if details.get('estimated') else ''}{dollars(int(details.get('cost_micro_usd', 0)))}"
    return [f"{details['model']}", f"{tokens} in{cached}, {details.get('output_tokens')} out", cost]
