"""How long inferences run on SageMaker: queued, on instances that go down to zero, with a message at each end."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.constructs.gpu_endpoint import START_SECONDS, VARIANT
from cdk.constructs.model_role import image_of, model_role
from cdk.constructs.waking import SCALE_IN_COOLDOWN, wake
from cdk.environments import GpuEndpoint


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Where an inference's end is put and told: a folder of a bucket, which also holds requests, and two topics."""

    bucket: s3.IBucket
    folder: str
    success: sns.Topic
    error: sns.Topic

    @property
    def location(self) -> str:
        """The folder as an S3 URI."""
        return f"s3://{self.bucket.bucket_name}/{self.folder}/"


class AsyncEndpoint(Construct):
    """An endpoint that takes requests while no instance runs. `endpoint_name` is what a caller passes."""

    def __init__(self, scope: Construct, construct_id: str, *, gpu: GpuEndpoint, ends: Ends) -> None:
        super().__init__(scope, construct_id)
        self._gpu = gpu
        self._ends = ends
        self._role = self._container_role()
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=self._role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image_of(self, gpu.container), environment=gpu.container.variables(gpu.settings)
            ),
        )
        model.node.add_dependency(self._role)
        configuration = self._endpoint_configuration(model)
        self._endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_config_name=configuration.attr_endpoint_config_name
        )
        self.endpoint_name = self._endpoint.attr_endpoint_name
        self.arn = self._endpoint.ref
        self._scale_between_zero_and_most()

    def _container_role(self) -> iam.IRole:
        role, bucket = model_role(self, self._gpu.container), self._ends.bucket
        objects = bucket.arn_for_objects("*")
        topics = [self._ends.success.topic_arn, self._ends.error.topic_arn]
        for actions, resources in (
            (["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], [objects]),
            (["s3:ListBucket"], [bucket.bucket_arn]),
            (["sns:Publish"], topics),
        ):
            role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources))
        return role

    def _endpoint_configuration(self, model: sagemaker.CfnModel) -> sagemaker.CfnEndpointConfig:
        kinds = sagemaker.CfnEndpointConfig
        notification = kinds.AsyncInferenceNotificationConfigProperty(
            success_topic=self._ends.success.topic_arn, error_topic=self._ends.error.topic_arn
        )
        return kinds(
            self,
            "Configuration",
            production_variants=[
                kinds.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model.attr_model_name,
                    instance_type=self._gpu.instance,
                    inference_ami_version=self._gpu.container.inference_ami,
                    initial_instance_count=1,
                    container_startup_health_check_timeout_in_seconds=START_SECONDS,
                )
            ],
            async_inference_config=kinds.AsyncInferenceConfigProperty(
                client_config=kinds.AsyncInferenceClientConfigProperty(
                    max_concurrent_invocations_per_instance=self._gpu.requests_at_once
                ),
                output_config=kinds.AsyncInferenceOutputConfigProperty(
                    s3_output_path=self._ends.location,
                    s3_failure_path=f"{self._ends.location}failed/",
                    notification_config=notification,
                ),
            ),
        )

    def _scale_between_zero_and_most(self) -> None:
        """Follow the queue down to zero instances, and start one when a request finds none."""
        by_endpoint = {"EndpointName": self.endpoint_name}
        target = scaling.ScalableTarget(
            self,
            "Instances",
            service_namespace=scaling.ServiceNamespace.SAGEMAKER,
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{self.endpoint_name}/variant/{VARIANT}",
            min_capacity=0,
            max_capacity=self._gpu.most_instances,
        )
        target.scale_to_track_metric(
            "Queue",
            custom_metric=cloudwatch.Metric(
                namespace="AWS/SageMaker",
                metric_name="ApproximateBacklogSizePerInstance",
                dimensions_map=by_endpoint,
                statistic="Average",
                period=Duration.minutes(1),
            ),
            target_value=self._gpu.requests_at_once,
            scale_in_cooldown=SCALE_IN_COOLDOWN,
        )
        wake(target, metric_name="HasBacklogWithoutCapacity", dimensions=by_endpoint)
