"""How a model call is made: priced before, streamed into the log, costed after; and when it is made again."""

from collections.abc import Sequence

from plinth.chain.catalogue import model
from plinth.chain.prompting import input_token_bound
from plinth.contracts.events import StepEnded
from plinth.contracts.models import ModelRequest, Prompt, Reply, TimeLimits
from plinth.contracts.runs import ModelCost, Run, RunRequest
from plinth.errors import (
    ModelBusyError,
    ModelError,
    ModelStreamCutError,
    ModelUnavailableError,
    PlinthError,
    TransientError,
)
from plinth.money.prices import bound_micro_usd, cost_micro_usd, price_of
from plinth.runtime.step_events import unlogged
from plinth.runtime.streaming import TextStream, next_attempt
from plinth.wiring import Services

MAX_ATTEMPTS = 3
CALL_SECONDS = 230.0  # below CallModel's own timeout, so that a slow model ends as an error with a name
ENDING_SECONDS = 15.0
PASSING = (ModelBusyError, ModelUnavailableError, ModelStreamCutError, TransientError)
"""Failures of a call that another attempt may mend. Only the machine's bounded attempts repeat what costs money."""
_BACKOFF_SECONDS = 2.0


def call(run: Run, asked: RunRequest, prompt: Prompt, steps: Sequence[StepEnded], services: Services) -> Reply:
    """Return the whole reply; `ENDING_SECONDS` of the run's time are left for the steps after it."""
    chosen = model(asked.model)
    max_output_tokens = min(asked.max_output_tokens, chosen.max_output_tokens)
    price = price_of(chosen.id)
    bound = bound_micro_usd(price, input_token_bound=input_token_bound(prompt), max_output_tokens=max_output_tokens)
    request = ModelRequest(
        model=chosen.provider_model,
        prompt=prompt,
        max_output_tokens=max_output_tokens,
        limits=TimeLimits(
            total_seconds=min(CALL_SECONDS, run.deadline - services.clock.now() - ENDING_SECONDS),
            first_seconds=chosen.first_seconds,
            stall_seconds=chosen.stall_seconds,
        ),
    )
    logged = services.run_log.read(run.tenant, run.id, after=0)
    attempt = next_attempt(logged)
    stream = TextStream(run=run, attempt=attempt, log=services.run_log, clock=services.clock)
    text, end = stream.copy(services.language_model(chosen.provider).stream(request), unlogged(steps, logged))
    cost = ModelCost(
        model=chosen.id,
        input_tokens=end.usage.input_tokens,
        output_tokens=end.usage.output_tokens,
        cached_input_tokens=end.usage.cached_input_tokens,
        cost_micro_usd=cost_micro_usd(price, end.usage),
        bound_micro_usd=bound,
        price_source=price.source,
        price_as_of=price.as_of,
    )
    return Reply(text=text, stop_reason=end.stop_reason, cost=cost, attempt=attempt)


def last_failure(error: PlinthError) -> ModelError:
    """Return what ends the run: a store that fails after the model was paid must not make the machine call it again."""
    return error if isinstance(error, ModelError) else ModelStreamCutError("the answer could not be kept")


def wait_before_retry(error: PlinthError, *, attempt: int, seconds_left: float) -> float | None:
    """Return how long to wait before the next attempt, or None where there must be none.

    The provider's own wish comes first; else the wait doubles. Neither may outlast the run's deadline.
    """
    wish = error.retry_after_seconds if isinstance(error, ModelBusyError) else None
    seconds = wish if wish is not None else _BACKOFF_SECONDS * 2.0 ** (attempt - 1)
    if attempt >= MAX_ATTEMPTS or seconds + ENDING_SECONDS > seconds_left:
        return None
    return seconds
