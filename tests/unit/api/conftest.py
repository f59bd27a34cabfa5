"""One world and one client for each test of the API."""

import pytest

from tests.unit.access.world import ALICE, World
from tests.unit.api.client import Client


@pytest.fixture
def world() -> World:
    """Keep everything in memory."""
    return World()


@pytest.fixture
def client(world: World) -> Client:
    """Call with a key of Alice's that may do everything."""
    return Client(world, world.issue(ALICE))
