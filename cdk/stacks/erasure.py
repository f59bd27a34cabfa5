"""How tenants get their data and have it forgotten: two Standard machines that go through every store."""

from aws_cdk import Stack
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.dead_letters import dead_letters
from cdk.constructs.state_machine import Chain
from cdk.permissions import Permission, Permissions
from cdk.stacks.foundations import Foundations
from cdk.step import Touch
from cdk.steps import EXPORT_STEPS, FORGET_STEPS


class ErasureStack(Stack):
    """The machines, their steps, and the queue of erasures that could not be finished."""

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        self.failed_erasures = dead_letters(self, "FailedErasures", foundations.environment)
        told = Permission(
            actions=("sqs:SendMessage",),
            resources=(self.failed_erasures.queue_arn,),
            variables={"PLINTH_FAILED_ERASURES_QUEUE_URL": self.failed_erasures.queue_url},
        )
        surroundings = foundations.surroundings(self, {Touch.REPORT_ERASURES: (told,)})
        forgetting = [ChainStep(self, step=row, surroundings=surroundings) for row in FORGET_STEPS]
        foundations.memory.admit(self, forgetting)
        exporting = [ChainStep(self, step=row, surroundings=surroundings) for row in EXPORT_STEPS]
        self.steps = [*forgetting, *exporting]
        self.forget = Chain(self, "Forget", steps=forgetting, kind="STANDARD", environment=foundations.environment)
        self.export = Chain(self, "Export", steps=exporting, kind="STANDARD", environment=foundations.environment)
        self.permissions: Permissions = {
            Touch.START_FORGET: self.forget.may_be_started("PLINTH_FORGET_MACHINE_ARN"),
            Touch.START_EXPORT: self.export.may_be_started("PLINTH_EXPORT_MACHINE_ARN"),
        }
