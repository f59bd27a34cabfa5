"""How a serverless collection is made: one that scales to zero, for environments that mostly sleep."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_opensearchserverless as serverless
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.permissions import Permission, Permissions
from cdk.step import Touch

READ = ("aoss:DescribeIndex", "aoss:ReadDocument")
DROP = (*READ, "aoss:DeleteIndex")
WRITE = (*READ, "aoss:CreateIndex", "aoss:UpdateIndex", "aoss:WriteDocument")


class SearchCollection(Construct):
    """A NEXTGEN vector collection. Serverless knows no ARN in its policies, so the collection has a name."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        group = serverless.CfnCollectionGroup(
            self, "Group", name=name, standby_replicas="DISABLED", generation="NEXTGEN"
        )
        self.collection = serverless.CfnCollection(
            self, "Collection", name=name, type="VECTORSEARCH", collection_group_name=name
        )
        self.collection.add_resource_dependency(group)
        for policy in self._security():
            self.collection.add_resource_dependency(policy)
        self.endpoint = self.collection.attr_collection_endpoint

    def _security(self) -> list[serverless.CfnSecurityPolicy]:
        stack, collection = Stack.of(self), f"collection/{self._name}"
        rules = [{"ResourceType": "collection", "Resource": [collection]}]
        kinds = {
            "encryption": {"Rules": rules, "AWSOwnedKey": True},
            "network": [{"Rules": rules, "AllowFromPublic": True}],
        }
        return [
            serverless.CfnSecurityPolicy(
                self, kind.capitalize(), name=self._name, type=kind, policy=stack.to_json_string(policy)
            )
            for kind, policy in kinds.items()
        ]

    def permissions(self, variables: dict[str, str]) -> Permissions:
        """Return what reaching the collection means; which documents a role may use is said by `admit`."""
        reach = (
            Permission(actions=("aoss:APIAccessAll",), resources=(self.collection.attr_arn,), variables=variables),
        )
        return {Touch.SEARCH_PASSAGES: reach, Touch.WRITE_PASSAGES: reach, Touch.DROP_INDEXES: reach}

    def admit(self, scope: Construct, steps: Sequence[ChainStep]) -> None:
        """Let the roles of these steps read or write the index, each as its row says."""
        stack = Stack.of(scope)
        writers = [step for step in steps if Touch.WRITE_PASSAGES in step.step.touches]
        droppers = [step for step in steps if Touch.DROP_INDEXES in step.step.touches]
        readers = [step for step in steps if step.step.searches and step not in (*writers, *droppers)]
        rules = [self._rule(readers, READ), self._rule(writers, WRITE), self._rule(droppers, DROP)]
        serverless.CfnAccessPolicy(
            scope,
            "Passages",
            name=f"{self._name}-{stack.stack_name.rsplit('-', 1)[-1]}",
            type="data",
            policy=stack.to_json_string([rule for rule in rules if rule["Principal"]]),
        )

    def _rule(self, steps: Sequence[ChainStep], actions: Sequence[str]) -> dict[str, object]:
        index = {"ResourceType": "index", "Resource": [f"index/{self._name}/*"], "Permission": list(actions)}
        roles = [step.function.role for step in steps]
        return {"Rules": [index], "Principal": [role.role_arn for role in roles if role]}
