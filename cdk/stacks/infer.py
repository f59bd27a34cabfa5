"""How a long inference is waited for: the asynchronous endpoint, the machine, and what its messages wake."""

from typing import cast

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.constructs.async_endpoint import AsyncEndpoint, Ends
from cdk.constructs.chain_step import ChainStep
from cdk.constructs.dead_letters import dead_letters
from cdk.constructs.state_machine import Chain
from cdk.environments import Environment
from cdk.permissions import Permission, on_table
from cdk.stacks.foundations import Foundations
from cdk.step import Touch
from cdk.steps import FINISH_INFERENCE, INFER_STEPS

FOLDER = "_inferences"  # no tenant can be called so


class InferStack(Stack):
    """StartInference -> the endpoint's queue -> SNS -> FinishInference -> the state that waits.

    Other Standard machines start `chain` as a nested execution and wait for its end. A message that FinishInference
    could not take, or never got, ends in `lost_notices`, and its state waits for its time-out.
    """

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        success, error = (self._topic(each, tls_only=foundations.environment.tls_only) for each in ("Success", "Error"))
        ends = Ends(bucket=foundations.data.work, folder=FOLDER, success=success, error=error)
        table = on_table(self._table(), "PLINTH_INFERENCES_TABLE", ("dynamodb:GetItem", "dynamodb:UpdateItem"))
        surroundings = foundations.surroundings(
            self,
            {
                Touch.TRACK_INFERENCES: table,
                Touch.QUEUE_INFERENCES: (self._may_queue(foundations.environment, ends),),
                Touch.WAKE_INFERENCES: (),
            },
        )
        starts = [ChainStep(self, step=row, surroundings=surroundings) for row in INFER_STEPS]
        finish = ChainStep(self, step=FINISH_INFERENCE, surroundings=surroundings)
        self.steps = [*starts, finish]
        self.chain = Chain(self, "Infer", steps=starts, kind="STANDARD", environment=foundations.environment)
        self._let_wake()
        self.lost_notices = dead_letters(self, "LostNotices", foundations.environment)
        lost = cast("lambda_.IDestination", destinations.SqsDestination(self.lost_notices))
        finish.function.configure_async_invoke(on_failure=lost)
        for topic in (ends.success, ends.error):
            topic.add_subscription(
                subscriptions.LambdaSubscription(finish.invoked, dead_letter_queue=self.lost_notices)
            )
        CfnOutput(self, "InferencesLocation", value=ends.location)

    def _topic(self, name: str, *, tls_only: bool) -> sns.Topic:
        topic = sns.Topic(self, name, enforce_ssl=tls_only)
        CfnOutput(self, f"{name}TopicArn", value=topic.topic_arn)
        return topic

    def _table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Inferences",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _may_queue(self, environment: Environment, ends: Ends) -> Permission:
        if environment.async_gpu:
            made = AsyncEndpoint(self, "SelfHosted", gpu=environment.async_gpu, ends=ends)
            name, arn = made.endpoint_name, made.arn
        else:
            name = str(environment.async_endpoint)
            arn = self.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
        return Permission(
            actions=("sagemaker:InvokeEndpointAsync",), resources=(arn,), variables={"PLINTH_ASYNC_ENDPOINT": name}
        )

    def _let_wake(self) -> None:
        """Give what `WAKE_INFERENCES` means in a policy of its own: machine and functions would wait for each other."""
        iam.Policy(
            self,
            "Wake",
            roles=[step.function.role for step in self.steps if step.function.role],
            statements=[
                iam.PolicyStatement(
                    actions=["states:SendTaskSuccess", "states:SendTaskFailure"],
                    resources=[self.chain.machine.state_machine_arn],
                )
            ],
        )
