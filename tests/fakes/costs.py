"""A model call's cost, as tests of receipts need one."""

from typing import Any

from plinth.contracts.runs import ModelCost


def model_cost(model: str = "claude-haiku-5-5", **changes: Any) -> ModelCost:
    """Return the cost of a whole call: 10 tokens in, 3 out, 70 of at most 100 micro-dollars."""
    usual: dict[str, Any] = {
        "input_tokens": 10,
        "output_tokens": 3,
        "cached_input_tokens": 0,
        "cost_micro_usd": 70,
        "bound_micro_usd": 100,
        "price_source": "test",
        "price_as_of": "2026-11-01",
    }
    return ModelCost(model=model, **(usual | changes))
