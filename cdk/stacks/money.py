"""What keeps the books: the sweep of reservations that nobody ended."""

from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.stacks.foundations import Foundations
from cdk.steps import SWEEP_BUDGETS


class MoneyStack(Stack):
    """EventBridge, each minute -> SweepBudgets. A sweep that fails is not repeated: the next one is."""

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        sweep = ChainStep(self, step=SWEEP_BUDGETS, surroundings=foundations.surroundings(self, {}))
        self.steps = [sweep]
        target = targets.LambdaFunction(sweep.invoked, retry_attempts=0)
        events.Rule(
            self,
            "EachMinute",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[cast("events.IRuleTarget", target)],
        )
