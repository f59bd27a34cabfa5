"""How a question becomes an answer: the Express machine and its steps, and the sweep of the runs that it lost."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.state_machine import Chain
from cdk.constructs.timer import call_by_clock
from cdk.permissions import Permissions
from cdk.stacks.foundations import Foundations
from cdk.step import Touch
from cdk.steps import ANSWER_STEPS, SWEEP_RUNS


class AnswerStack(Stack):
    """The answer chain: at most five minutes, at least once, so every step is fenced by the run's epoch.

    EventBridge, each minute -> SweepRuns. A sweep that fails is not repeated: the next one comes.
    """

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        surroundings = foundations.surroundings(self, {})
        self.steps = [ChainStep(self, step=row, surroundings=surroundings) for row in ANSWER_STEPS]
        foundations.memory.admit(self, self.steps)
        self.chain = Chain(self, "Answer", steps=self.steps, kind="EXPRESS", environment=foundations.environment)
        (continuing,) = (step for step in self.steps if step.step.name == "SaveContinuation")
        self.chain.may_be_started_again_by(continuing)
        self.permissions: Permissions = {Touch.START_ANSWER: self.chain.may_be_started("PLINTH_ANSWER_MACHINE_ARN")}
        sweep = ChainStep(self, step=SWEEP_RUNS, surroundings=surroundings.knowing(self.permissions))
        self.functions = [*self.steps, sweep]
        call_by_clock(self, "EachMinute", schedule=events.Schedule.rate(Duration.minutes(1)), step=sweep)
