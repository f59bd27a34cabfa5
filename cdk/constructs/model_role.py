"""What a model container may do: pull its image and write its log, and nothing else unless it is given more."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.constructs.service_role import service_role
from cdk.containers import Container

_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_WRITE_LOG = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


def model_role(scope: Construct, container: Container) -> iam.IRole:
    """Return the role that SageMaker runs the container with."""
    role = service_role(scope, "sagemaker.amazonaws.com")
    stack = Stack.of(scope)
    registry, _, path = container.image.partition(".")
    repository = stack.format_arn(
        service="ecr", account=registry, resource="repository", resource_name=path.partition("/")[2].split(":")[0]
    )
    logs = stack.format_arn(
        service="logs", resource="log-group", resource_name="/aws/sagemaker/*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    for actions, resource in ((_PULL, repository), (["ecr:GetAuthorizationToken"], "*"), (_WRITE_LOG, logs)):
        role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
    return role


def image_of(scope: Construct, container: Container) -> str:
    """Return the image in the region of this construct."""
    return container.image.format(region=Stack.of(scope).region)
