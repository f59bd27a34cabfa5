"""CollectData: write some pages of a tenant's or a user's data into their export, and at its end the manifest."""

from plinth.contracts import CollectDataInput, CollectDataOutput
from plinth.runtime import step
from plinth.runtime.exports import collect
from plinth.wiring import Services


def collect_data(request: CollectDataInput, services: Services) -> CollectDataOutput:
    """Take some pages; the machine calls again until there are no more."""
    return CollectDataOutput(done=collect(request.job, services))


handler = step(collect_data)
