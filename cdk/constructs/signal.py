"""Which number is worth a call at night: one metric with the limit that it should stay under."""

from dataclasses import dataclass
from typing import cast

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A metric that is in order while below `limit`. `name` is the alarm's construct id.

    `runbook` is the page of docs/runbooks that says what to do.
    """

    name: str
    runbook: str
    metric: cloudwatch.Metric
    limit: float

    def alarm(self, scope: Construct, *, tell: sns.Topic) -> None:
        """Tell the topic when a period reaches the limit; no data is no fault."""
        alarm = cloudwatch.Alarm(
            scope,
            self.name,
            alarm_description=f"What to do: docs/runbooks/{self.runbook}.md",
            metric=self.metric,
            threshold=self.limit,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        action = actions.SnsAction(cast("sns.ITopic", tell))
        alarm.add_alarm_action(cast("cloudwatch.IAlarmAction", action))
