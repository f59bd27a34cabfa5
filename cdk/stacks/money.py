"""What keeps the books: the sweep of reservations that nobody ended, and the monthly file of what was used."""

from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.stacks.foundations import Foundations
from cdk.steps import EXPORT_USAGE, SWEEP_BUDGETS


class MoneyStack(Stack):
    """EventBridge, each minute -> SweepBudgets; on the second of each month -> ExportUsage.

    A sweep that fails is not repeated, since the next one is. An export is: Lambda tries it twice more.
    """

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        surroundings = foundations.surroundings(self, {})
        sweep = ChainStep(self, step=SWEEP_BUDGETS, surroundings=surroundings)
        export = ChainStep(self, step=EXPORT_USAGE, surroundings=surroundings)
        self.steps = [sweep, export]
        self._rule("EachMinute", events.Schedule.rate(Duration.minutes(1)), sweep, retries=0)
        self._rule("EachMonth", events.Schedule.cron(day="2", hour="3", minute="0"), export, retries=2)

    def _rule(self, name: str, schedule: events.Schedule, step: ChainStep, *, retries: int) -> None:
        target = targets.LambdaFunction(step.invoked, retry_attempts=retries)
        events.Rule(self, name, schedule=schedule, targets=[cast("events.IRuleTarget", target)])
