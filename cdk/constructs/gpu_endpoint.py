"""How a self-hosted model runs on SageMaker: an inference component whose copies and instances go down to zero."""

from aws_cdk import Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.constructs.model_role import image_of, model_role
from cdk.constructs.waking import SCALE_IN_COOLDOWN, wake
from cdk.environments import GpuEndpoint

VARIANT = "Main"
START_SECONDS = 1200
"""How long a container may load its weights before SageMaker takes it for broken (AWS: at least 600)."""


class ScaledEndpoint(Construct):
    """An endpoint with one model. `endpoint_name` and `component_name` are what a caller passes."""

    def __init__(self, scope: Construct, construct_id: str, *, gpu: GpuEndpoint) -> None:
        super().__init__(scope, construct_id)
        self._gpu = gpu
        self._role = model_role(self, gpu.container)
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

    def _endpoint_configuration(self) -> sagemaker.CfnEndpointConfig:
        configuration = sagemaker.CfnEndpointConfig(
            self,
            "Configuration",
            execution_role_arn=self._role.role_arn,
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    instance_type=self._gpu.instance,
                    inference_ami_version=self._gpu.container.inference_ami,
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
        gpu, kinds = self._gpu, sagemaker.CfnInferenceComponent
        specification = kinds.InferenceComponentSpecificationProperty(
            container=kinds.InferenceComponentContainerSpecificationProperty(
                image=image_of(self, gpu.container), environment=gpu.container.variables(gpu.settings)
            ),
            compute_resource_requirements=kinds.InferenceComponentComputeResourceRequirementsProperty(
                number_of_accelerator_devices_required=1, min_memory_required_in_mb=gpu.reserved_memory_mb
            ),
            startup_parameters=kinds.InferenceComponentStartupParametersProperty(
                container_startup_health_check_timeout_in_seconds=START_SECONDS
            ),
        )
        return kinds(
            self,
            "Component",
            inference_component_name=self.component_name,
            endpoint_name=self.endpoint_name,
            variant_name=VARIANT,
            specification=specification,
            runtime_config=kinds.InferenceComponentRuntimeConfigProperty(copy_count=1),
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
        target.node.add_dependency(self._component)
        target.scale_to_track_metric(
            "Load",
            predefined_metric=scaling.PredefinedMetric.SAGEMAKER_INFERENCE_COMPONENT_CONCURRENT_REQUESTS_PER_COPY_HIGH_RESOLUTION,
            target_value=self._gpu.requests_at_once,
            scale_in_cooldown=SCALE_IN_COOLDOWN,
        )
        wake(
            target,
            metric_name="NoCapacityInvocationFailures",
            dimensions={"InferenceComponentName": self.component_name},
        )
