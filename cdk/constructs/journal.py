"""How long log lines are kept: every log group is made here."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.environments import Environment


def journal(scope: Construct, construct_id: str, *, environment: Environment) -> logs.LogGroup:
    """Return a log group that keeps its lines as long as the environment says and goes with its stack."""
    return logs.LogGroup(scope, construct_id, retention=environment.log_retention, removal_policy=RemovalPolicy.DESTROY)
