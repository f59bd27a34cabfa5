"""How something that runs at zero starts again: one alarm, one step up. Tracking a load can't, for zero has none."""

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch

SCALE_IN_COOLDOWN = Duration.minutes(10)


def wake(target: scaling.ScalableTarget, *, metric_name: str, dimensions: dict[str, str]) -> None:
    """Add one when this metric of AWS/SageMaker is 1 or more within a minute."""
    target.scale_on_metric(
        "Wake",
        metric=cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=metric_name,
            dimensions_map=dimensions,
            statistic="Maximum",
            period=Duration.minutes(1),
        ),
        adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
        scaling_steps=[scaling.ScalingInterval(lower=1, change=1), scaling.ScalingInterval(upper=0, change=0)],
        cooldown=Duration.minutes(5),
    )
