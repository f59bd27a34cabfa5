"""Whether a run can be paid for at all, as told before it is accepted; only the ledger decides, at each call."""

from collections.abc import Iterable

from plinth.chain.catalogue import model
from plinth.contracts.money import BudgetLeft, BudgetRefusal
from plinth.contracts.runs import RunRequest
from plinth.errors import BudgetExceededError
from plinth.money.prices import bound_micro_usd, price_of


def least_bound_micro_usd(asked: RunRequest) -> int:
    """Return the least that must be set aside for the run: its question alone, asked of its cheapest model."""
    length = len(asked.question.encode())
    return min(
        bound_micro_usd(
            price_of(name),
            input_token_bound=length,
            max_output_tokens=min(asked.max_output_tokens, model(name).max_output_tokens),
        )
        for name in asked.models
    )


def require_budget(needed_micro_usd: int, budgets: Iterable[BudgetLeft]) -> None:
    """Raise `BudgetExceededError` for the first window with less left; a month's before a day's, as it lasts longer."""
    for budget in budgets:
        for window in (budget.month, budget.day):
            if window.left_micro_usd is None or window.limit_micro_usd is None:
                continue
            if window.left_micro_usd < needed_micro_usd:
                raise BudgetExceededError(
                    BudgetRefusal(
                        scope=budget.scope,
                        window=window.window,
                        limit_micro_usd=window.limit_micro_usd,
                        left_micro_usd=window.left_micro_usd,
                        needed_micro_usd=needed_micro_usd,
                        resets_at=window.resets_at,
                    )
                )
