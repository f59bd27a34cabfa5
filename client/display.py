"""How runs, documents and money are shown on a terminal: tables, and text that can't steer the terminal."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.comparison import Figure
from client.records import Model, ModelPrice
from plinth.contracts.context_orders import DocumentContexts
from plinth.contracts.memory import DocumentRecord
from plinth.contracts.runs import ANSWERING, BudgetLine, CacheMatch, Citation, ModelCost, Receipt
from plinth.money.usage import UsageLine

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return the text without control characters: a document or a model must not steer the reader's terminal."""
    return _STEERING.sub("", text)


def dollars(micro_usd: int) -> str:
    """Return integer micro-dollars as dollars."""
    return f"${micro_usd / 1_000_000:.6f}"


def show_citations(console: Console, citations: Iterable[Citation]) -> None:
    """Print where each [n] of the answer comes from."""
    for each in sorted(citations, key=lambda citation: citation.marker):
        place = [plain(each.heading)] if each.heading else []
        place += [f"page {each.page}"] if each.page is not None else []
        where = f" ({', '.join(place)})" if place else ""
        console.print(Text(f"[{each.marker}] {plain(each.title)}{where} - {plain(each.name)}"), soft_wrap=True)


def receipt_lines(receipt: Receipt) -> list[str]:
    """Return the receipt: its models' part, the platform's, and what the budgets have left."""
    return [*_model_lines(receipt), *_platform_lines(receipt), *map(_budget_line, receipt.budgets)]


def _model_lines(receipt: Receipt) -> list[str]:
    """Return a line per model call, failed ones too, what the caches saved, and the sum."""
    saved = receipt.prompt_cache_saved_micro_usd
    lines = [
        *(_call_line(each) for each in receipt.model_calls),
        *([f"the provider's prompt cache: {dollars(saved)} saved"] if saved > 0 else []),
    ]
    if receipt.cached:
        lines.append(_cache_line(receipt))
    if receipt.model_calls or not receipt.cached:
        lines.append(f"models: {dollars(receipt.model_cost_micro_usd)}")
    return lines


def _cache_line(receipt: Receipt) -> str:
    found = "to the same question worded otherwise, " if receipt.match is CacheMatch.SEMANTIC else ""
    called = "" if receipt.model_calls else "no model was called, "
    saved = f"{called}{dollars(receipt.saved_micro_usd)} saved"
    return f"answered from the cache: {found}{receipt.age_seconds:.0f} s old, {saved}"


def _platform_lines(receipt: Receipt) -> list[str]:
    if not receipt.platform:
        return []
    parts = [f"{each.quantity:g} {each.kind.replace('_', ' ')}" for each in receipt.platform.lines]
    return [f"platform: ${receipt.platform.cost_nano_usd / 1e9:.6f} at list prices ({', '.join(parts)})"]


def _budget_line(budget: BudgetLine) -> str:
    left, limit = dollars(budget.left_micro_usd), dollars(budget.limit_micro_usd)
    resets = datetime.fromtimestamp(budget.resets_at, UTC).strftime("%Y-%m-%d")
    return f"the {budget.scope}'s {budget.window} budget: {left} of {limit} left until {resets} UTC"


def _call_line(call: ModelCost) -> str:
    tokens = call.input_tokens + call.cached_input_tokens + call.cache_write_tokens
    cached = f" ({call.cached_input_tokens} cached)" if call.cached_input_tokens else ""
    failed = f" failed ({plain(call.outcome)})" if call.outcome != "complete" else ""
    cost = f"{'at most ' if call.estimated else ''}{dollars(call.cost_micro_usd)}"
    price = f"(price: {plain(call.price_source)}, {call.price_as_of})"
    step = "" if call.step == ANSWERING else f" for {plain(call.step)}"
    return f"{call.model}{step}{failed}: {tokens} tokens in{cached}, {call.output_tokens} out, {cost} {price}"


def models_table(models: Iterable[Model]) -> Table:
    """Return models and routes as a table, prices in dollars per million tokens; a route shows what it asks in turn."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "provider", "context", "$ in", "$ out", "can, or asks in turn"):
        is_number = title in ("context", "$ in", "$ out")
        table.add_column(title, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
    for each in models:
        price = _per_million(each.price) if each.price else ("", "")
        provider = "route" if each.kind == "route" else each.owned_by
        can = " > ".join(each.models) if each.models else ", ".join(each.capabilities)
        table.add_row(each.id, provider, f"{each.context_window:,}", *price, can)
    return table


def _per_million(price: ModelPrice) -> tuple[str, str]:
    return f"{price.input / 1_000_000:.2f}", f"{price.output / 1_000_000:.2f}"


def figures_table(figures: Iterable[Figure]) -> Table:
    """Return figures, each with where it is from."""
    table = Table("figure", "value", "from", box=None, pad_edge=False)
    for each in figures:
        table.add_row(Text(each.name), Text(each.value), Text(each.source))
    return table


def documents_table(documents: Iterable[DocumentRecord]) -> Table:
    """Return documents as a table; a refused one shows its reason."""
    table = Table(box=None, pad_edge=False)
    for title in ("id", "state", "passages", "bytes", "name"):
        is_number = title in ("passages", "bytes")
        table.add_column(title, justify="right" if is_number else "left", overflow="fold", no_wrap=title != "name")
    for each in documents:
        tries = f", {len(each.attempted_at)} tries" if len(each.attempted_at) > 1 else ""
        reason = f" ({each.reason}: {plain(each.message or '')}{tries})" if each.reason else ""
        name = Text(f"{plain(each.name)}{reason}{_contexts(each.contexts)}")
        table.add_row(each.document_id, each.state, str(each.passages), str(each.size_bytes), name)
    return table


def _contexts(made: DocumentContexts | None) -> str:
    """Return how many passages have a context of how many, and what this version paid for them."""
    if made is None:
        return ""
    return f" (contexts: {made.passages} of {made.passages + made.missing}, {dollars(made.cost_micro_usd)})"


def usage_table(lines: Iterable[UsageLine], total: UsageLine, *, by: str) -> Table:
    """Return usage as a table, a line each and the sum: tokens in and out, and dollars."""
    whole = ("runs", "failed", "cached", "in", "out", "$ models", "$ platform", "$ saved")
    numbers = {"model": ("calls", "in", "out", "$ models"), "step": ("calls", "$ models", "$ platform")}.get(by, whole)
    table = Table(box=None, pad_edge=False)
    table.add_column(by, overflow="fold", min_width=10)
    for title in numbers:
        table.add_column(title, justify="right", no_wrap=True)
    for line in (*lines, total):
        cells = _usage_cells(line)
        table.add_row(Text(plain(line.name)), *(cells[title] for title in numbers))
    return table


def _usage_cells(line: UsageLine) -> dict[str, str]:
    tokens_in = line.input_tokens + line.cached_input_tokens + line.cache_write_tokens
    return {
        "runs": f"{line.runs:,}",
        "failed": f"{line.failed_runs:,}",
        "cached": f"{line.cached_runs:,}",
        "calls": f"{line.calls:,}",
        "in": f"{tokens_in:,}",
        "out": f"{line.output_tokens:,}",
        "$ models": f"{line.model_cost_micro_usd / 1e6:.6f}",
        "$ platform": f"{line.platform_cost_nano_usd / 1e9:.6f}",
        "$ saved": f"{line.saved_micro_usd / 1e6:.6f}",
    }
