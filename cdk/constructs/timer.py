"""A function that is called by the clock."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk.constructs.chain_step import ChainStep


def call_by_clock(scope: Construct, name: str, *, schedule: events.Schedule, step: ChainStep, retries: int = 0) -> None:
    """Call the function on the schedule; a call that fails is repeated this often (by Lambda's own default twice).

    Without repetitions a call that is throttled is given up after a minute, not after hours: the next one has come.
    """
    kept = None if retries else Duration.minutes(1)
    step.function.configure_async_invoke(retry_attempts=retries, max_event_age=kept)
    target = targets.LambdaFunction(step.invoked, retry_attempts=retries, max_event_age=kept)
    events.Rule(scope, name, schedule=schedule, targets=[cast("events.IRuleTarget", target)])
