"""How an execution gives its run up to the next one: with all that it carried, and the calls that were lost."""

from dataclasses import replace

from plinth.contracts.executions import Continuation
from plinth.contracts.runs import Run
from plinth.money.platform import HANDING_OVER_UNITS
from plinth.runtime.started_calls import lost_calls
from plinth.runtime.steps import ended_so_far
from plinth.wiring import Services


def hand_over(run: Run, continuation: Continuation, services: Services) -> Run:
    """Give the run up, and return it as its next execution is given it. The step that runs ends up in the log too.

    A call whose function died stands on the receipt as far as a budget knows of it.
    """
    steps, calls = (*continuation.steps, ended_so_far(writing=HANDING_OVER_UNITS)), continuation.calls
    if continuation.because == "lost":
        asked = services.runs.get(run.tenant, run.id).request
        calls = (*calls, *lost_calls(calls, run, asked, services))
    return services.executions.hand_over(run, replace(continuation, steps=steps, calls=calls))
