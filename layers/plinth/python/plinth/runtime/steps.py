"""How a plain function becomes a Lambda handler: decode, run, time, log one line, encode. Decides nothing else."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, get_type_hints

import msgspec

from plinth.contracts.events import Details, StepEnded
from plinth.contracts.runs import Run
from plinth.runtime.measuring import Measured
from plinth.runtime.state_visits import visit_of
from plinth.runtime.step_details import asked_details, told_details
from plinth.runtime.step_log import log_step
from plinth.runtime.step_tries import log_try
from plinth.wiring import Services


class LambdaContext(Protocol):
    """What the runtime of Lambda passes beside the event: the request's id, and the function's memory in MB."""

    aws_request_id: str
    memory_limit_in_mb: int

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        ...


Request = TypeVar("Request")
Result = TypeVar("Result")
Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]
_running: ContextVar[Measured] = ContextVar("the step that runs")


def ended_so_far(*, writing: float) -> StepEnded:
    """Return the step that runs as if it wrote so many units and ended: no log has anything after its last event."""
    return _running.get().ended(writing=writing)


def step(function: Callable[[Request, Services], Result], *, services: Services | None = None) -> Handler:
    """Return the Lambda handler of a chain step.

    The event is the step's input as JSON (unknown fields are ignored: in-flight executions run the old machine).
    The handler returns `{"result": <output>, "step": <StepEnded>}`. Errors pass through under their own class name,
    because Step Functions retries and catches by that name. Services are made on first use, once per environment.
    """
    name = "".join(word.capitalize() for word in function.__name__.split("_"))
    request_type = get_type_hints(function)["request"]
    wired = services or Services()
    cold = True

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        nonlocal cold
        memory_mb, visit = int(context.memory_limit_in_mb), visit_of(event)
        measured = Measured(name, meter=wired.meter, memory_mb=memory_mb, cold=cold, visit=visit)
        cold = False
        _running.set(measured)
        asked: Details = {}
        run: object = None
        try:
            request: Request = msgspec.convert(event, request_type)
            asked, run = asked_details(request), getattr(request, "run", None)
            result = function(request, wired)
        except Exception as error:
            end = measured.ended(type(error).__name__, details=asked)
            if isinstance(run, Run):
                log_try(run, end, wired, seconds_left=context.get_remaining_time_in_millis() / 1000)
            log_step(end, event=event, request_id=context.aws_request_id)
            raise
        end = measured.ended(details=asked | told_details(result))
        log_step(end, event=event, request_id=context.aws_request_id)
        return {"result": msgspec.to_builtins(result), "step": msgspec.to_builtins(end)}

    return handler
