"""finish_inference: wake the machine that waits for an inference which has ended."""

from typing import Any

from plinth.runtime.inferences import finish
from plinth.wiring import Services

_services = Services()


def handler(event: dict[str, Any], _context: object) -> None:
    """Take what the endpoint published; a message that comes twice, late or for nobody has no effect."""
    finish(event, _services)
