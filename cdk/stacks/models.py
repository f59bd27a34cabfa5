"""Which models can be called: the secret of the model API, and a self-hosted endpoint where the environment has one."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.constructs.embedding_server import EmbeddingServer
from cdk.constructs.gpu_endpoint import ScaledEndpoint
from cdk.environments import Environment
from cdk.permissions import Permission, Permissions
from cdk.steps import Touch

INVOKE = (
    "sagemaker:CallWithBearerToken",
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointWithResponseStream",
)


class ModelsStack(Stack):
    """An empty secret for the Anthropic key, which a person fills in, and the endpoints that the environment wants."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, env=environment.place)
        self._secret = secrets.CfnSecret(self, "AnthropicKey", description="The Anthropic API key, as plain text")
        CfnOutput(self, "AnthropicSecretArn", value=self._secret.ref)
        self.permissions: Permissions = {
            Touch.CALL_MODELS: (self._api_key(), *self._endpoint(environment)),
            Touch.EMBED_TEXTS: self._embedding(environment),
        }

    def _api_key(self) -> Permission:
        return Permission(
            actions=("secretsmanager:GetSecretValue",),
            resources=(self._secret.ref,),
            variables={"PLINTH_ANTHROPIC_SECRET_ARN": self._secret.ref},
        )

    def _endpoint(self, environment: Environment) -> tuple[Permission, ...]:
        if environment.gpu:
            made = ScaledEndpoint(self, "SelfHosted", gpu=environment.gpu)
            variables = {
                "PLINTH_MODEL_ENDPOINT": made.endpoint_name,
                "PLINTH_MODEL_COMPONENT": made.component_name,
            }
            return (Permission(actions=INVOKE, resources=made.arns, variables=variables),)
        if environment.model_endpoint:
            name = environment.model_endpoint
            arn = self.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
            return (Permission(actions=INVOKE, resources=(arn,), variables={"PLINTH_MODEL_ENDPOINT": name}),)
        return ()

    def _embedding(self, environment: Environment) -> tuple[Permission, ...]:
        if environment.embedding is None:
            return ()
        made = EmbeddingServer(self, "Embedding", embedding=environment.embedding)
        variables = {
            "PLINTH_EMBEDDING_ENDPOINT": made.endpoint_name,
            "PLINTH_EMBEDDING_MODEL": environment.embedding.model,
        }
        return (Permission(actions=("sagemaker:InvokeEndpoint",), resources=(made.arn,), variables=variables),)
