"""How documents, users and tenants are forgotten: a Standard machine that goes through every store."""

from aws_cdk import Stack
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.dead_letters import dead_letters
from cdk.constructs.state_machine import Chain
from cdk.permissions import Permission, Permissions
from cdk.stacks.foundations import Foundations
from cdk.step import Touch
from cdk.steps import FORGET_STEPS


class ErasureStack(Stack):
    """The machine, its steps, and the queue of erasures that could not be finished."""

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        self.failed_erasures = dead_letters(self, "FailedErasures", foundations.environment)
        told = Permission(
            actions=("sqs:SendMessage",),
            resources=(self.failed_erasures.queue_arn,),
            variables={"PLINTH_FAILED_ERASURES_QUEUE_URL": self.failed_erasures.queue_url},
        )
        surroundings = foundations.surroundings(self, {Touch.REPORT_ERASURES: (told,)})
        self.steps = [ChainStep(self, step=row, surroundings=surroundings) for row in FORGET_STEPS]
        foundations.memory.admit(self, self.steps)
        self.chain = Chain(self, "Forget", steps=self.steps, kind="STANDARD", environment=foundations.environment)
        self.permissions: Permissions = {Touch.START_FORGET: self.chain.may_be_started("PLINTH_FORGET_MACHINE_ARN")}
