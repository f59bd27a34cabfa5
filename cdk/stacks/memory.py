"""Where passages are searched: a managed domain or a serverless collection, as the environment says."""

import json
from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.network import Network
from cdk.constructs.search_collection import SearchCollection
from cdk.constructs.search_domain import SearchDomain
from cdk.environments import Environment
from cdk.permissions import Permissions


class MemoryStack(Stack):
    """The search engine, its network if it has one, and what searching and writing mean on it."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, env=environment.place, termination_protection=environment.retain_data)
        self.network = Network(self, "Network", environment=environment) if environment.network == "vpc" else None
        self._engine = self._search_engine(environment)
        url = {
            "local_domain": f"http://{self._engine.endpoint}",
            "domain": f"https://{self._engine.endpoint}",
            "serverless": self._engine.endpoint,
        }[environment.memory_store]
        auth = {"local_domain": "none", "domain": "es", "serverless": "aoss"}[environment.memory_store]
        self.permissions: Permissions = self._engine.permissions(
            {
                "PLINTH_OPENSEARCH_URL": url,
                "PLINTH_OPENSEARCH_AUTH": auth,
                **_vectors(environment),
                **_retrieval(environment),
                **_indexes(environment),
            }
        )
        CfnOutput(self, "SearchUrl", value=url)

    def admit(self, scope: Construct, steps: Sequence[ChainStep]) -> None:
        """Let those of the steps that search or write do so, where the engine keeps a list of its own."""
        self._engine.admit(scope, [step for step in steps if step.step.searches])

    def _search_engine(self, environment: Environment) -> SearchDomain | SearchCollection:
        if environment.memory_store == "serverless":
            return SearchCollection(self, "Search", name=f"plinth-{environment.name}")
        return SearchDomain(self, "Search", environment=environment, network=self.network)


def _vectors(environment: Environment) -> dict[str, str]:
    """Name the index of the embedding endpoint's vectors; without one, functions know their own model's."""
    if environment.embedding is None:
        return {}
    return {
        "PLINTH_SEARCH_INDEX": environment.embedding.index,
        "PLINTH_VECTOR_DIMENSION": str(environment.embedding.dimension),
    }


def _retrieval(environment: Environment) -> dict[str, str]:
    """Say how passages are chosen, where that is not as by default."""
    return {"PLINTH_RETRIEVAL": json.dumps(dict(environment.retrieval))} if environment.retrieval else {}


def _indexes(environment: Environment) -> dict[str, str]:
    """Say how new indexes are made, and whose vectors the indexes hold that a reindex has yet to replace."""
    settings = {"PLINTH_INDEX_SETTINGS": json.dumps(dict(environment.index))} if environment.index else {}
    if not environment.earlier_embeddings:
        return settings
    earlier = [
        {"index": each.index, "dimension": each.dimension, "model": each.model}
        for each in environment.earlier_embeddings
    ]
    return {**settings, "PLINTH_EARLIER_MODELS": json.dumps(earlier)}
