"""What a right means in IAM and in environment variables, and how a function gets it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk.step import Touch


@dataclass(frozen=True, kw_only=True)
class Permission:
    """The actions on the resources that one `Touch` allows, and the variables that name the resources."""

    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def statements(self) -> list[iam.PolicyStatement]:
        """Return the policy, which is empty where only a variable is passed."""
        if not self.actions:
            return []
        return [iam.PolicyStatement(actions=list(self.actions), resources=list(self.resources))]


Permissions = Mapping[Touch, tuple[Permission, ...]]


def grant(function: lambda_.Function, touches: Iterable[Touch], permissions: Permissions) -> None:
    """Give the function its variables and the statements of its touches, and nothing else."""
    for permission in (each for touch in touches for each in permissions[touch]):
        for name, value in permission.variables.items():
            function.add_environment(name, value)
        for statement in permission.statements():
            function.add_to_role_policy(statement)


READ_ROWS = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
WRITE_ROWS = ("dynamodb:PutItem", "dynamodb:UpdateItem")
ERASE_ROWS = (
    "dynamodb:Scan",
    "dynamodb:Query",
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:UpdateItem",
)
"""Reading a whole table and deleting from it; users' days are moved, which is an update and a deletion."""


def on_table(table: dynamodb.ITable, variable: str, actions: tuple[str, ...]) -> tuple[Permission, ...]:
    """Return the right to use these actions on the table."""
    return (Permission(actions=actions, resources=(table.table_arn,), variables={variable: table.table_name}),)
