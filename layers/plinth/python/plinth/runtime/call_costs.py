"""What a model call may cost at most, known before it, and what it did cost, by its price of now."""

from plinth.chain.catalogue import CatalogueModel
from plinth.chain.prompting import input_token_bound
from plinth.contracts.models import Prompt, Usage
from plinth.contracts.runs import ModelCost
from plinth.errors import ModelError
from plinth.money.prices import bound_micro_usd as most_that_it_costs
from plinth.money.prices import cost_micro_usd, price_of, prompt_cache_saved_micro_usd

_NOTHING = Usage(input_tokens=0, output_tokens=0)


def bound_of(chosen: CatalogueModel, prompt: Prompt, *, max_output_tokens: int) -> int:
    """Return the most that the call can cost, in micro-dollars."""
    return most_that_it_costs(
        price_of(chosen.id), input_token_bound=input_token_bound(prompt), max_output_tokens=max_output_tokens
    )


def call_cost(
    chosen: CatalogueModel, usage: Usage, *, bound_micro_usd: int, outcome: str = "complete", estimated: bool = False
) -> ModelCost:
    """Return the call's line of the receipt; one that is `estimated` costs its bound."""
    price = price_of(chosen.id)
    return ModelCost(
        model=chosen.id,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        thinking_tokens=usage.thinking_tokens,
        cost_micro_usd=bound_micro_usd if estimated else cost_micro_usd(price, usage),
        bound_micro_usd=bound_micro_usd,
        prompt_cache_saved_micro_usd=prompt_cache_saved_micro_usd(price, usage),
        price_source=price.source,
        price_as_of=price.as_of,
        outcome=outcome,
        estimated=estimated,
    )


def failed_call_cost(chosen: CatalogueModel, error: ModelError, *, bound_micro_usd: int) -> ModelCost:
    """Return the bill that the failure told, or else the bound where the model had begun, and nothing where not."""
    return call_cost(
        chosen,
        error.usage or _NOTHING,
        bound_micro_usd=bound_micro_usd,
        outcome=error.reason,
        estimated=error.begun and error.usage is None,
    )
