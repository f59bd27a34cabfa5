"""PlanContexts: say which passages a model writes about, and what that may cost at most."""

from plinth.contracts import PlanContextsInput, PlanContextsOutput
from plinth.runtime import step
from plinth.runtime.context_plans import plan
from plinth.wiring import Services


def plan_contexts(request: PlanContextsInput, services: Services) -> PlanContextsOutput:
    """Return how many windows of passages have to be written; a document that may cost more than told is refused."""
    return plan(request.document, services)


handler = step(plan_contexts)
