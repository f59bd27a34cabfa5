"""Where messages go that nobody could take, and for how long they are kept."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.environments import Environment

DEAD_LETTERS_KEPT = Duration.days(14)


def dead_letters(scope: Construct, name: str, environment: Environment) -> sqs.Queue:
    """Return a queue whose URL is an output of the stack."""
    queue = sqs.Queue(scope, name, enforce_ssl=environment.tls_only, retention_period=DEAD_LETTERS_KEPT)
    CfnOutput(scope, f"{name}QueueUrl", value=queue.queue_url)
    return queue
