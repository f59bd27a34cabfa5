"""How a question becomes an answer: the Express machine and its steps."""

from aws_cdk import Stack
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.state_machine import Chain
from cdk.permissions import Permissions
from cdk.stacks.foundations import Foundations
from cdk.steps import ANSWER_STEPS, Touch


class AnswerStack(Stack):
    """The answer chain: at most five minutes, at least once, so every step is fenced by the run's epoch."""

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        surroundings = foundations.surroundings(self, {})
        self.steps = [ChainStep(self, step=row, surroundings=surroundings) for row in ANSWER_STEPS]
        foundations.memory.admit(self, self.steps)
        self.chain = Chain(self, "Answer", steps=self.steps, kind="EXPRESS", environment=foundations.environment)
        self.permissions: Permissions = {Touch.START_ANSWER: self.chain.may_be_started("PLINTH_ANSWER_MACHINE_ARN")}
