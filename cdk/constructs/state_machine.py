"""How an ASL file becomes a state machine: its functions filled in, its role able to call them and nothing else."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from aws_cdk import CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.journal import journal
from cdk.constructs.layer_shelf import REPOSITORY
from cdk.constructs.service_role import service_role
from cdk.environments import Environment
from cdk.permissions import Permission

Kind = Literal["EXPRESS", "STANDARD"]


class Chain(Construct):
    """The machine of `statemachines/<name>.asl.json`, whose `${<Step>Arn}` are the given steps.

    Its log has failures only and never execution data, because that is content: the run log is the trace.
    """

    placeholders: Mapping[str, str] = {}
    """Values of placeholders that name no step."""

    def __init__(
        self, scope: Construct, name: str, *, steps: Sequence[ChainStep], kind: Kind, environment: Environment
    ) -> None:
        super().__init__(scope, name)
        self.steps = steps
        definition = json.loads((REPOSITORY / "statemachines" / f"{name.lower()}.asl.json").read_text())
        role = service_role(self, "states.amazonaws.com")
        callable_arns = [arn for step in steps for arn in step.callable_arns]
        role.add_to_principal_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=callable_arns))
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_string(json.dumps(definition, separators=(",", ":"))),
            definition_substitutions={f"{step.step.name}Arn": step.arn for step in steps} | dict(self.placeholders),
            state_machine_type=sfn.StateMachineType[kind],
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=journal(self, "Log", environment=environment),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
        )
        CfnOutput(scope, f"{name}MachineArn", value=self.machine.state_machine_arn)

    def may_be_started(self, variable: str) -> tuple[Permission, ...]:
        """Return the right to start this machine, which the variable names."""
        arn = self.machine.state_machine_arn
        return (Permission(actions=("states:StartExecution",), resources=(arn,), variables={variable: arn}),)

    def may_be_started_again_by(self, step: ChainStep) -> None:
        """Let one of the machine's own steps start it, by a policy apart: the step's own would have to wait for it."""
        start = iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.machine.state_machine_arn])
        iam.Policy(self, "StartAgain", statements=[start], roles=[step.role])
