"""How a self-hosted model runs on SageMaker: an inference component whose copies and instances go down to zero."""

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.constructs.service_role import service_role
from cdk.environments import GpuEndpoint

VARIANT = "Main"


class ScaledEndpoint(Construct):
    """An endpoint with one model. `endpoint_name` and `component_name` are what a caller passes."""

    def __init__(self, scope: Construct, construct_id: str, *, gpu: GpuEndpoint) -> None:
        super().__init__(scope, construct_id)
        self._gpu = gpu
        self._role = service_role(self, "sagemaker.amazonaws.com")
        self._let_pull_image()
        self._configuration = self._endpoint_configuration()
        self._endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_config_name=self._configuration.attr_endpoint_config_name
        )
        self.endpoint_name = self._endpoint.attr_endpoint_name
        self.component_name = f"{Stack.of(self).stack_name}-component"
        self._component = self._inference_component()
        self._scale_between_zero_and_most()

    @property
    def arns(self) -> tuple[str, ...]:
        """What a caller must be allowed to invoke."""
        return (self._endpoint.ref, self._component.ref)

    def _let_pull_image(self) -> None:
        stack = Stack.of(self)
        registry, _, path = self._gpu.image.partition(".")
        repository = stack.format_arn(
            service="ecr", account=registry, resource="repository", resource_name=path.partition("/")[2].split(":")[0]
        )
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        self._role.add_to_principal_policy(iam.PolicyStatement(actions=pull, resources=[repository]))
        self._role.add_to_principal_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        logs = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        write = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        self._role.add_to_principal_policy(iam.PolicyStatement(actions=write, resources=[logs]))

    def _endpoint_configuration(self) -> sagemaker.CfnEndpointConfig:
        configuration = sagemaker.CfnEndpointConfig(
            self,
            "Configuration",
            execution_role_arn=self._role.role_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    instance_type=self._gpu.instance,
                    initial_instance_count=1,
                    managed_instance_scaling=sagemaker.CfnEndpointConfig.ManagedInstanceScalingProperty(
                        status="ENABLED", min_instance_count=0, max_instance_count=self._gpu.most_instances
                    ),
                    routing_config=sagemaker.CfnEndpointConfig.RoutingConfigProperty(
                        routing_strategy="LEAST_OUTSTANDING_REQUESTS"
                    ),
                )
            ],
        )
        configuration.node.add_dependency(self._role)
        return configuration

    def _inference_component(self) -> sagemaker.CfnInferenceComponent:
        gpu = self._gpu
        container = sagemaker.CfnInferenceComponent.InferenceComponentContainerSpecificationProperty(
            image=gpu.image.format(region=Stack.of(self).region),
            environment={"SM_LLAMA_CPP_HF_REPO": gpu.model_repository, "SM_LLAMA_CPP_HF_FILE": gpu.model_file},
        )
        needs = sagemaker.CfnInferenceComponent.InferenceComponentComputeResourceRequirementsProperty(
            number_of_accelerator_devices_required=1, min_memory_required_in_mb=gpu.memory_mb
        )
        return sagemaker.CfnInferenceComponent(
            self,
            "Component",
            inference_component_name=self.component_name,
            endpoint_name=self.endpoint_name,
            variant_name=VARIANT,
            specification=sagemaker.CfnInferenceComponent.InferenceComponentSpecificationProperty(
                container=container, compute_resource_requirements=needs
            ),
            runtime_config=sagemaker.CfnInferenceComponent.InferenceComponentRuntimeConfigProperty(copy_count=1),
        )

    def _scale_between_zero_and_most(self) -> None:
        """Follow the load down to zero copies, and start one when a call finds none."""
        target = scaling.ScalableTarget(
            self,
            "Copies",
            service_namespace=scaling.ServiceNamespace.SAGEMAKER,
            scalable_dimension="sagemaker:inference-component:DesiredCopyCount",
            resource_id=f"inference-component/{self.component_name}",
            min_capacity=0,
            max_capacity=self._gpu.most_instances,
        )
        target.scale_to_track_metric(
            "Load",
            predefined_metric=scaling.PredefinedMetric.SAGEMAKER_INFERENCE_COMPONENT_CONCURRENT_REQUESTS_PER_COPY_HIGH_RESOLUTION,
            target_value=4,
            scale_in_cooldown=Duration.minutes(10),
        )
        refused = cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name="NoCapacityInvocationFailures",
            dimensions_map={"InferenceComponentName": self.component_name},
            statistic="Maximum",
            period=Duration.minutes(1),
        )
        target.scale_on_metric(
            "Wake",
            metric=refused,
            adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
            scaling_steps=[scaling.ScalingInterval(lower=1, change=1), scaling.ScalingInterval(upper=0, change=0)],
            cooldown=Duration.minutes(5),
        )
