"""How the steps of a run are shown on a terminal: a line each, one more for each try that failed, and a bar of time."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from client.display import dollars, plain
from plinth.contracts.events import Details
from plinth.contracts.traces import TracedStep, TracedTry

_BAR_WIDTH = 24
_SAID_ELSEWHERE = frozenset({"owner", "claimed", "outcome", "saved", "done", "estimated", "turns", "corpus_version"})
_OF_A_CALL = frozenset(
    {"model", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "cost_micro_usd"}
)


def steps_table(steps: Sequence[TracedStep]) -> Table:
    """Return the waterfall: when each step began, how long it took, and what it tells of itself.

    In a bar, `█` is work, and `░` waiting: for a function, or between tries.
    """
    table = Table(box=None, pad_edge=False)
    for title in ("step", "start ms", "took ms", ""):
        table.add_column(title, justify="right" if title.endswith("ms") else "left", no_wrap=True)
    table.add_column("", overflow="fold")
    whole_ms = max((each.start_ms + each.duration_ms for each in steps), default=0.0) or 1.0
    for each in steps:
        unsaid = each.retries - len([tried for tried in each.tries if tried.retry < each.retries])
        for tried in each.tries:
            name = Text(f"  try {tried.retry + 1} ({plain(tried.outcome)})")
            table.add_row(name, *_span(tried, whole_ms), "")
        if unsaid > 0:
            table.add_row(Text(f"  {unsaid} more tr{'y' if unsaid == 1 else 'ies'} left no word"))
        name = Text(plain(each.step) + "".join(f" ({note})" for note in _notes(each)))
        waited_ms = 0.0 if each.tries else each.wait_ms
        table.add_row(name, *_span(each, whole_ms, waited_ms=waited_ms), Text(told(each.details)))
    return table


def _notes(step: TracedStep) -> list[str]:
    return [*(["cold"] if step.cold else []), *([plain(step.outcome)] if step.outcome != "ok" else [])]


def _span(each: TracedStep | TracedTry, whole_ms: float, *, waited_ms: float = 0.0) -> tuple[str, str, str]:
    """Return start, time and bar."""
    before = int(each.start_ms / whole_ms * _BAR_WIDTH)
    waited = min(int(waited_ms / whole_ms * _BAR_WIDTH), before)
    bar = " " * (before - waited) + "░" * waited + "█" * max(1, round(each.duration_ms / whole_ms * _BAR_WIDTH))
    return f"{each.start_ms:.0f}", f"{each.duration_ms:.0f}", bar


def told(details: Details) -> str:
    """Return what a step tells of itself in one line: its model call first, then its other details."""
    others = [
        f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"
        for name, value in details.items()
        if name not in _SAID_ELSEWHERE | (_OF_A_CALL if "model" in details else frozenset()) and value not in (0, "")
    ]
    return plain(", ".join([*_call(details), *others]))


def _call(details: Details) -> list[str]:
    if "model" not in details:
        return []
    cached = f" ({details['cached_input_tokens']} cached)" if details.get("cached_input_tokens") else ""
    cost = f"{'at most ' if details.get('estimated') else ''}{dollars(int(details.get('cost_micro_usd', 0)))}"
    return [
        f"{details['model']}",
        f"{details.get('input_tokens')} in{cached}, {details.get('output_tokens')} out",
        cost,
    ]
