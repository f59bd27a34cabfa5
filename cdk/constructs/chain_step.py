"""How a row of `cdk.steps` becomes a function with a role and a log group of its own."""

from dataclasses import dataclass, replace
from typing import cast

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.constructs.journal import journal
from cdk.constructs.layer_shelf import REPOSITORY, LayerShelf, architecture_of, runtime_of
from cdk.constructs.network import Network
from cdk.constructs.service_role import service_role
from cdk.environments import Environment
from cdk.permissions import Permissions, grant
from cdk.step import Step

_NETWORK_INTERFACES = [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the functions of a stack share: layers, the meaning of rights, and the network that holds the memory."""

    environment: Environment
    layers: LayerShelf
    permissions: Permissions
    network: Network | None = None

    def knowing(self, more: Permissions) -> "Surroundings":
        """Return the same with the meaning of more rights."""
        return replace(self, permissions={**self.permissions, **more})


_NOT_IN_ASSETS = ["**/__pycache__"]  # left by tests, it would change the hash of the code


class ChainStep(Construct):
    """One Lambda function with the least it needs: `function`, and `arn` as a state machine calls it."""

    def __init__(self, scope: Construct, *, step: Step, surroundings: Surroundings) -> None:
        super().__init__(scope, step.name)
        self.step = step
        self._environment = environment = surroundings.environment
        log = journal(self, "Log", environment=environment)
        network = surroundings.network if step.searches else None
        self.role = self._role(network)
        self.function = lambda_.Function(
            self,
            "Function",
            code=lambda_.Code.from_asset(str(REPOSITORY / "functions" / step.folder), exclude=_NOT_IN_ASSETS),
            handler=step.handler,
            runtime=runtime_of(environment),
            architecture=architecture_of(environment),
            layers=[surroundings.layers.layer(name) for name in step.layers],
            timeout=Duration.seconds(step.timeout_seconds),
            memory_size=step.memory_mb,
            environment={"PLINTH_ENVIRONMENT": environment.name},
            role=self.role,
            log_group=log,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=environment.reserved_concurrency.get(step.name),
            snap_start=_snap_start(step, environment),
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
            vpc=network.vpc if network else None,
            vpc_subnets=network.subnets if network else None,
            security_groups=[network.callers] if network else None,
        )
        Annotations.of(self).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish", "The state machine calls the published version."
        )
        log.grant_write(self.function)
        grant(self.function, step.touches, surroundings.permissions)

    @property
    def invoked(self) -> lambda_.IFunction:
        """The function as an integration takes it."""
        return cast("lambda_.IFunction", self.function)

    @property
    def arn(self) -> str:
        """What a state machine calls: the published version where the environment pins versions."""
        if self._environment.published_versions:
            return self.function.current_version.function_arn
        return self.function.function_arn

    @property
    def callable_arns(self) -> list[str]:
        """What a state machine may call: every version, because runs in flight keep the one that they began with."""
        arn = self.function.function_arn
        return [f"{arn}:*"] if self._environment.published_versions else [arn]

    def stream_over_http(self, *, adapter: str, port: int) -> None:
        """Run the handler as a web server and stream what it answers, through Lambda Web Adapter's layer."""
        self.function.add_layers(lambda_.LayerVersion.from_layer_version_arn(self, "WebAdapter", adapter))
        for name, value in {
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
            "AWS_LWA_INVOKE_MODE": "response_stream",
            "AWS_LWA_PORT": str(port),
            "AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp",
        }.items():
            self.function.add_environment(name, value)

    def _role(self, network: Network | None) -> iam.IRole:
        role = service_role(self, "lambda.amazonaws.com")
        if network:
            role.add_to_principal_policy(iam.PolicyStatement(actions=_NETWORK_INTERFACES, resources=["*"]))
        return role


def _snap_start(step: Step, environment: Environment) -> lambda_.SnapStartConf | None:
    wanted = step.snap_start and environment.snap_start
    return lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if wanted else None
