"""A function that is called by the clock."""

from typing import cast

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk.constructs.chain_step import ChainStep


def call_by_clock(scope: Construct, name: str, *, schedule: events.Schedule, step: ChainStep, retries: int = 0) -> None:
    """Call the function on the schedule; a call that fails is repeated this often (by Lambda's own default twice)."""
    step.function.configure_async_invoke(retry_attempts=retries)
    target = targets.LambdaFunction(step.invoked, retry_attempts=retries)
    events.Rule(scope, name, schedule=schedule, targets=[cast("events.IRuleTarget", target)])
