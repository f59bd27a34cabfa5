"""What keeps the books: the sweep of reservations that nobody ended, and the monthly file of what was used."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.timer import call_by_clock
from cdk.stacks.foundations import Foundations
from cdk.steps import EXPORT_USAGE, SWEEP_BUDGETS


class MoneyStack(Stack):
    """EventBridge, each minute -> SweepBudgets; on the second of each month -> ExportUsage.

    A sweep that fails is not repeated, since the next one comes. An export is: Lambda tries it twice more.
    """

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        surroundings = foundations.surroundings(self, {})
        sweep = ChainStep(self, step=SWEEP_BUDGETS, surroundings=surroundings)
        export = ChainStep(self, step=EXPORT_USAGE, surroundings=surroundings)
        self.steps = [sweep, export]
        each_minute = events.Schedule.rate(Duration.minutes(1))
        each_month = events.Schedule.cron(day="2", hour="3", minute="0")
        call_by_clock(self, "EachMinute", schedule=each_minute, step=sweep)
        call_by_clock(self, "EachMonth", schedule=each_month, step=export, retries=2)
