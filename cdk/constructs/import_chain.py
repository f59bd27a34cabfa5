"""Machines over many documents: what a distributed Map and the machines that it starts need beside their functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.state_machine import Chain
from cdk.environments import Environment


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Where a machine's lists lie."""

    bucket: s3.IBucket
    folder: str
    environment: Environment


_FINISHED = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""The rule through which Step Functions hears of the end of an execution that it waits for (its developer guide)."""


class DocumentsChain(Chain):
    """Reads lists in the work bucket, runs a child execution per entry, and starts the ingest machine for it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        steps: Sequence[ChainStep],
        ingest: Chain,
        lists: Lists,
    ) -> None:
        work = lists.bucket
        self.placeholders = {
            "IngestMachineArn": ingest.machine.state_machine_arn,
            "WorkBucket": work.bucket_name,
        }
        super().__init__(scope, name, steps=steps, kind="STANDARD", environment=lists.environment)
        resource = self.machine.node.default_child
        if isinstance(resource, CfnResource):  # its schema knows no JSONata in the limits of a Map, which AWS documents
            resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3601"]}})
        stack, own = Stack.of(self), self.machine.state_machine_arn
        name_of = self.machine.state_machine_name
        children = stack.format_arn(service="states", resource=f"execution:{name_of}/*:*")
        ingests = stack.format_arn(service="states", resource=f"execution:{ingest.machine.state_machine_name}:*")
        rule = stack.format_arn(service="events", resource=f"rule/{_FINISHED}")
        _allow(self, "ReadManifests", ("s3:GetObject",), work.arn_for_objects(f"{lists.folder}/*"))
        _allow(self, "StartMachines", ("states:StartExecution",), own, ingest.machine.state_machine_arn)
        _allow(self, "FollowMachines", ("states:DescribeExecution", "states:StopExecution"), children, ingests)
        _allow(self, "HearOfEnds", ("events:PutTargets", "events:PutRule", "events:DescribeRule"), rule)


class ImportChain(DocumentsChain):
    """The machine of imports, whose steps wait for the bucket's events."""

    def let_wake(self, *steps: ChainStep) -> None:
        """Let these functions give task tokens back, by their own policy: machine and functions would form a ring.

        Whether a token of a Map's item is one of the machine or of the machine and the label of its Map is not verified
        on AWS: both are allowed.
        """
        machine = self.machine.state_machine_arn
        iam.Policy(
            self,
            "Wake",
            roles=[step.function.role for step in steps if step.function.role],
            statements=[iam.PolicyStatement(actions=["states:SendTaskSuccess"], resources=[machine, f"{machine}/*"])],
        )


def _allow(chain: Chain, name: str, actions: Sequence[str], *resources: str) -> None:
    iam.Policy(
        chain,
        name,
        roles=[chain.machine.role],
        statements=[iam.PolicyStatement(actions=list(actions), resources=list(resources))],
    )
