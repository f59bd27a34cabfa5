"""What the working stacks stand on: data, memory and models, and the rights that these three hand out."""

from dataclasses import dataclass

from aws_cdk import Stack

from cdk.constructs.chain_step import Surroundings
from cdk.constructs.layer_shelf import LayerShelf
from cdk.environments import Environment
from cdk.permissions import Permissions
from cdk.stacks.data import DataStack
from cdk.stacks.memory import MemoryStack
from cdk.stacks.models import ModelsStack


@dataclass(frozen=True, kw_only=True)
class Foundations:
    """The stacks below; nothing in them knows the functions that use them."""

    environment: Environment
    data: DataStack
    memory: MemoryStack
    models: ModelsStack

    def surroundings(self, stack: Stack, more: Permissions) -> Surroundings:
        """Return what the functions of this stack share, with layers of its own and the rights in `more`."""
        return Surroundings(
            environment=self.environment,
            layers=LayerShelf(stack, "Layers", environment=self.environment),
            permissions={**self.data.permissions, **self.memory.permissions, **self.models.permissions, **more},
            network=self.memory.network,
        )
