"""Which models can be called: the secrets of the model APIs, and the endpoints that the environment wants."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.constructs.embedding_server import EmbeddingServer
from cdk.constructs.gpu_endpoint import ScaledEndpoint
from cdk.environments import Environment
from cdk.permissions import Permission, Permissions
from cdk.step import Touch

INVOKE = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")
BEARER = Permission(actions=("sagemaker:CallWithBearerToken",), resources=("*",))
"""Takes no resource (SageMaker's guide, November 2026): the token can do what the role can do, which INVOKE bounds."""


class ModelsStack(Stack):
    """Empty secrets for the keys, which a person fills in, and the endpoints that the environment wants."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, env=environment.place)
        self.permissions: Permissions = {
            Touch.CALL_MODELS: (
                self._anthropic(environment),
                self._api_key("OpenAi", variable="PLINTH_OPENAI_SECRET_ARN"),
                *self._endpoint(environment),
            ),
            Touch.EMBED_TEXTS: self._embedding(environment),
            Touch.RANK_PASSAGES: self._reranking(environment),
        }

    def _anthropic(self, environment: Environment) -> Permission:
        """Return the right to use a key, or the workspace of Claude Platform on AWS (not verified on AWS)."""
        workspace = environment.anthropic_workspace
        if workspace is None:
            return self._api_key("Anthropic", variable="PLINTH_ANTHROPIC_SECRET_ARN")
        arn = self.format_arn(service="aws-external-anthropic", resource="workspace", resource_name=workspace)
        return Permission(
            actions=("aws-external-anthropic:CreateInference",),
            resources=(arn,),
            variables={"PLINTH_ANTHROPIC_ACCESS": "aws", "PLINTH_ANTHROPIC_WORKSPACE": workspace},
        )

    def _api_key(self, provider: str, *, variable: str) -> Permission:
        secret = secrets.CfnSecret(self, f"{provider}Key", description=f"The {provider} API key, as plain text")
        CfnOutput(self, f"{provider}SecretArn", value=secret.ref)
        return Permission(
            actions=("secretsmanager:GetSecretValue",), resources=(secret.ref,), variables={variable: secret.ref}
        )

    def _endpoint(self, environment: Environment) -> tuple[Permission, ...]:
        if environment.gpu:
            made = ScaledEndpoint(self, "SelfHosted", gpu=environment.gpu)
            variables = {
                "PLINTH_MODEL_ENDPOINT": made.endpoint_name,
                "PLINTH_MODEL_COMPONENT": made.component_name,
            }
            return (Permission(actions=INVOKE, resources=made.arns, variables=variables), BEARER)
        if environment.model_endpoint:
            name = environment.model_endpoint
            arn = self.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
            return (Permission(actions=INVOKE, resources=(arn,), variables={"PLINTH_MODEL_ENDPOINT": name}), BEARER)
        return ()

    def _reranking(self, environment: Environment) -> tuple[Permission, ...]:
        name = environment.rerank_endpoint
        if name is None:
            return ()
        arn = self.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
        variables = {"PLINTH_RERANK_ENDPOINT": name}
        return (Permission(actions=("sagemaker:InvokeEndpoint",), resources=(arn,), variables=variables),)

    def _embedding(self, environment: Environment) -> tuple[Permission, ...]:
        earlier = {
            each.index: EmbeddingServer(self, f"EarlierEmbedding{number}", embedding=each)
            for number, each in enumerate(environment.earlier_embeddings)
        }
        endpoints = self.to_json_string({index: made.endpoint_name for index, made in earlier.items()})
        invoke = ("sagemaker:InvokeEndpoint",)
        kept = tuple(
            Permission(actions=invoke, resources=(made.arn,), variables={"PLINTH_EARLIER_ENDPOINTS": endpoints})
            for made in earlier.values()
        )
        if environment.embedding is None:
            return kept
        made = EmbeddingServer(self, "Embedding", embedding=environment.embedding)
        variables = {
            "PLINTH_EMBEDDING_ENDPOINT": made.endpoint_name,
            "PLINTH_EMBEDDING_MODEL": environment.embedding.model,
        }
        return (Permission(actions=invoke, resources=(made.arn,), variables=variables), *kept)
