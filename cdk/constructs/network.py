"""Which network holds the memory: two zones without a way out, with free gateways to DynamoDB and S3."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.constructs.journal import journal
from cdk.environments import Environment


class Network(Construct):
    """A VPC for the search domain and for the functions that search. `callers` may reach `memory` by HTTPS.

    It has neither NAT nor interface endpoints, so it costs nothing by itself: functions in it need only DynamoDB, S3
    and the domain. What calls models or tools stays outside. Only endpoints for vectors and for reranking add an
    interface endpoint, which is billed by the hour, because they are asked where passages are searched.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Memory", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
            gateway_endpoints={
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
            },
            restrict_default_security_group=False,
        )
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.callers = ec2.SecurityGroup(self, "Callers", vpc=self.vpc, description="Functions that search")
        self.memory = ec2.SecurityGroup(
            self, "Memory", vpc=self.vpc, description="The search domain", allow_all_outbound=False
        )
        self.memory.add_ingress_rule(self.callers, ec2.Port.tcp(443), "Functions that search")
        if environment.embedding or environment.earlier_embeddings or environment.rerank_endpoint:
            runtime = self.vpc.add_interface_endpoint(
                "SageMakerRuntime", service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME, open=False
            )
            runtime.connections.allow_default_port_from(self.callers, "Functions that search")
        self.vpc.add_flow_log(
            "Rejected",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(journal(self, "FlowLog", environment=environment)),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
