"""Who may act: every role is made here, for one AWS service, with no rights to begin with."""

from typing import cast

from aws_cdk import aws_iam as iam
from constructs import Construct


def service_role(scope: Construct, service: str) -> iam.IRole:
    """Return the role `Role` of this construct, which only the service can assume.

    The casts say what a type checker can't see: classes made by jsii do implement their interfaces.
    """
    principal = cast("iam.IPrincipal", iam.ServicePrincipal(service))
    return cast("iam.IRole", iam.Role(scope, "Role", assumed_by=principal))
