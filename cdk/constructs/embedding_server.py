"""How an embedding model runs on SageMaker: on instances that are always there, for a question waits for no start."""

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.constructs.gpu_endpoint import START_SECONDS, VARIANT
from cdk.constructs.model_role import image_of, model_role
from cdk.environments import EmbeddingEndpoint


class EmbeddingServer(Construct):
    """A real-time endpoint of Text Embeddings Inference, billed by the hour from its creation to its deletion."""

    def __init__(self, scope: Construct, construct_id: str, *, embedding: EmbeddingEndpoint) -> None:
        super().__init__(scope, construct_id)
        role = model_role(self, embedding.container)
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image_of(self, embedding.container),
                environment=embedding.container.variables({"HF_MODEL_ID": embedding.model}),
            ),
        )
        model.node.add_dependency(role)
        configuration = sagemaker.CfnEndpointConfig(
            self,
            "Configuration",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=embedding.instance,
                    initial_instance_count=embedding.instances,
                    container_startup_health_check_timeout_in_seconds=START_SECONDS,
                )
            ],
        )
        endpoint = sagemaker.CfnEndpoint(self, "Endpoint", endpoint_config_name=configuration.attr_endpoint_config_name)
        self.endpoint_name = endpoint.attr_endpoint_name
        self.arn = endpoint.ref
