"""The services of a whole chain in memory, as the steps' own tests have them."""

from tests.unit.steps.conftest import services

__all__ = ["services"]
