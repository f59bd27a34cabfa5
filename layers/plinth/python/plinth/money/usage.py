"""What a run adds to its user's day, and how days are added up: by day, user, model or step.

Amounts go by name: those of the run as they are, `model/<id>/...` of its calls, `step/<name>/...` of its steps.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from plinth.contracts.events import Event, ReceiptMade, RunEnded
from plinth.contracts.runs import ModelCost, Receipt, RunStatus
from plinth.contracts.usage import UserDay


class UsageBy(StrEnum):
    """What a line of usage is about."""

    DAY = "day"
    USER = "user"
    MODEL = "model"
    STEP = "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """What was used under one name; what a line of this kind can't say is 0.

    Lines by model have `calls`, tokens and the models' cost; lines by step the runs that had the step as `calls`, and
    platform cost. `cached_runs` were answered from the cache, which saved `saved_micro_usd`.
    """

    name: str
    runs: int = 0
    failed_runs: int = 0
    cached_runs: int = 0
    calls: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    model_cost_micro_usd: int = 0
    platform_cost_nano_usd: int = 0
    saved_micro_usd: int = 0


def usage_of(events: Sequence[Event]) -> Counter[str]:
    """Return what these last events of a run add to its user's day; nothing where they don't end the run."""
    used: Counter[str] = Counter()
    if not events or not isinstance(ended := events[-1], RunEnded):
        return used
    used["runs"] = 1
    used["failed_runs"] = int(ended.status is RunStatus.FAILED)
    for event in events:
        if isinstance(event, ReceiptMade):
            used += _of_receipt(event.receipt)
    return +used


def with_call(receipt: Receipt, call: ModelCost) -> Receipt:
    """Return the receipt with one more call."""
    return replace(
        receipt,
        model_calls=(*receipt.model_calls, call),
        model_cost_micro_usd=receipt.model_cost_micro_usd + call.cost_micro_usd,
        prompt_cache_saved_micro_usd=receipt.prompt_cache_saved_micro_usd + call.prompt_cache_saved_micro_usd,
    )


def usage_of_call(call: ModelCost) -> Counter[str]:
    """Return what one model call adds to its user's day."""
    used: Counter[str] = Counter()
    for name, amount in _of_call(call).items():
        used[name] += amount
        used[f"model/{call.model}/{name}"] += amount
    return used


def _of_receipt(receipt: Receipt) -> Counter[str]:
    used = Counter(cached_runs=int(receipt.cached), saved_micro_usd=receipt.saved_micro_usd)
    for call in receipt.model_calls:
        used.update(usage_of_call(call))
    if receipt.platform:
        used["platform_cost_nano_usd"] = receipt.platform.cost_nano_usd
        for step, nano_usd in receipt.platform.steps.items():
            used[f"step/{step}/calls"] = 1
            used[f"step/{step}/platform_cost_nano_usd"] = nano_usd
    return used


def _of_call(call: ModelCost) -> dict[str, int]:
    return {
        "calls": 1,
        "input_tokens": call.input_tokens,
        "cached_input_tokens": call.cached_input_tokens,
        "cache_write_tokens": call.cache_write_tokens,
        "output_tokens": call.output_tokens,
        "model_cost_micro_usd": call.cost_micro_usd,
    }


def usage_of_contexts(calls: Iterable[ModelCost]) -> Counter[str]:
    """Return what the calls of a window of passages add to the day of the user who ordered contexts."""
    used = Counter[str]()
    for call in calls:
        used.update(usage_of_call(call))
    used.update({f"step/WriteContexts/{name}": amount for name, amount in used.items() if "/" not in name})
    return +used


def usage_lines(days: Iterable[UserDay], by: UsageBy) -> list[UsageLine]:
    """Return the days added up by what is asked for, in the order of the names."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for day in days:
        for name, amount in day.amounts.items():
            kind, _, rest = name.partition("/")
            if by is UsageBy.DAY and not rest:
                sums[day.day][name] += amount
            elif by is UsageBy.USER and not rest:
                sums[day.user][name] += amount
            elif by == kind:
                thing, _, field = rest.rpartition("/")
                sums[thing][field] += amount
    return [_line(name, sums[name]) for name in sorted(sums)]


def usage_total(days: Iterable[UserDay], name: str) -> UsageLine:
    """Return the days added up in one line of this name."""
    total: Counter[str] = Counter()
    for day in days:
        total.update({field: amount for field, amount in day.amounts.items() if "/" not in field})
    return _line(name, total)


def _line(name: str, amounts: Counter[str]) -> UsageLine:
    known = UsageLine.__dataclass_fields__
    return UsageLine(name=name, **{field: amount for field, amount in amounts.items() if field in known})
