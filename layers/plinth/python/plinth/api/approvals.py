"""The route of approvals: what a person says of a tool call that a run wants to make."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import BaseModel, ConfigDict, Field

from plinth.access.readable_runs import own_run
from plinth.api.exchange import CurrentExchange
from plinth.contracts.approvals import Approval, Decision, Ruling
from plinth.money.platform import DECIDING_UNITS
from plinth.runtime.approving import decide


class ApprovalDecision(BaseModel):
    """What becomes of the call, for those who have seen its arguments."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decision: Annotated[Literal["approve", "deny"], Field(description="Whether the call may be made.")]
    arguments_sha256: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="That of the event approval.needed, or of the run.")
    ]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the route of approvals."""
    resolver.post(
        "/v1/runs/<run_id>/approvals/<call>",
        summary="Approve or deny a tool call that a run waits with",
        tags=["runs"],
        operation_id="decide_approval",
    )(decide_approval)


def decide_approval(run_id: str, call: str, decision: ApprovalDecision, exchange: CurrentExchange) -> Approval:
    """Decide, as the user who asked; with the last call of its turn decided, the run goes on.

    The same decision can be sent again, the opposite is refused. After five minutes nobody can decide any more.
    """
    caller = exchange.caller
    record = own_run(exchange.services.runs, caller, run_id)
    made = Ruling(
        call=call,
        arguments_sha256=decision.arguments_sha256,
        decision=Decision(decision.decision),
        user=caller.user,
        key_id=caller.key_id,
    )
    step = exchange.measured.ended(writing=DECIDING_UNITS)
    return decide(record, caller.tenant, made, exchange.services, step)
