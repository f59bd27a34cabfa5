"""How a managed OpenSearch domain is made: L1, because the L2 sets policies through custom resources."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.network import Network
from cdk.environments import Environment
from cdk.permissions import Permission, Permissions
from cdk.step import Touch

ENGINE = "OpenSearch_3.5"


class SearchDomain(Construct):
    """A domain that answers only signed requests over TLS, encrypted throughout; within `network` if there is one."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, network: Network | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.domain = opensearch.CfnDomain(
            self,
            "Domain",
            engine_version=ENGINE,
            cluster_config=_cluster(environment),
            ebs_options=opensearch.CfnDomain.EBSOptionsProperty(
                ebs_enabled=True, volume_type="gp3", volume_size=environment.search.volume_gb
            ),
            access_policies=self._account_decides(),
            domain_endpoint_options=opensearch.CfnDomain.DomainEndpointOptionsProperty(
                enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
            ),
            encryption_at_rest_options=opensearch.CfnDomain.EncryptionAtRestOptionsProperty(enabled=True),
            node_to_node_encryption_options=opensearch.CfnDomain.NodeToNodeEncryptionOptionsProperty(enabled=True),
            vpc_options=_inside(network, environment) if network else None,
        )
        self.domain.apply_removal_policy(environment.removal_policy)
        self.endpoint = self.domain.attr_domain_endpoint

    def _account_decides(self) -> iam.PolicyDocument:
        """Leave each right to the roles' own policies: nobody outside the account, nobody unsigned."""
        domains = Stack.of(self).format_arn(service="es", resource="domain", resource_name="*")
        return iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    principals=[cast("iam.IPrincipal", iam.AccountRootPrincipal())],
                    actions=["es:ESHttp*"],
                    resources=[domains],
                )
            ]
        )

    def permissions(self, variables: dict[str, str]) -> Permissions:
        """Return what searching and writing passages mean on this domain."""
        everything = (f"{self.domain.attr_arn}/*",)
        read = ("es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost")
        return {
            Touch.SEARCH_PASSAGES: (Permission(actions=read, resources=everything, variables=variables),),
            Touch.WRITE_PASSAGES: (
                Permission(actions=(*read, "es:ESHttpPut"), resources=everything, variables=variables),
            ),
            Touch.DROP_INDEXES: (Permission(actions=("es:ESHttpDelete",), resources=everything, variables=variables),),
        }

    def admit(self, scope: Construct, steps: Sequence[ChainStep]) -> None:
        """Do nothing: on a domain, the policies of the roles are enough."""


def _cluster(environment: Environment) -> opensearch.CfnDomain.ClusterConfigProperty:
    size = environment.search
    zones = min(size.nodes, 2)
    return opensearch.CfnDomain.ClusterConfigProperty(
        instance_type=size.instance,
        instance_count=size.nodes,
        zone_awareness_enabled=zones > 1,
        zone_awareness_config=(
            opensearch.CfnDomain.ZoneAwarenessConfigProperty(availability_zone_count=zones) if zones > 1 else None
        ),
        dedicated_master_enabled=size.masters > 0,
        dedicated_master_count=size.masters or None,
        dedicated_master_type=size.master_instance if size.masters else None,
    )


def _inside(network: Network, environment: Environment) -> opensearch.CfnDomain.VPCOptionsProperty:
    zones = min(environment.search.nodes, 2)
    return opensearch.CfnDomain.VPCOptionsProperty(
        subnet_ids=[subnet.subnet_id for subnet in network.vpc.isolated_subnets[:zones]],
        security_group_ids=[network.memory.security_group_id],
    )
