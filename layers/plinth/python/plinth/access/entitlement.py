"""Which models and routes a tier may use: a model by the tier's list and the catalogue's, a route by its models."""

from plinth.chain.catalogue import Catalogue, CatalogueModel, catalogue
from plinth.contracts.access import Tier
from plinth.errors import InvalidFieldError


def allowed(name: str, tier: Tier, listed: Catalogue) -> tuple[str, ...]:
    """Return the ids of the models that `name` stands for and the tier may use, in the order in which they are asked.

    None are left of a name that does not exist, of a model that the tier lacks, and of a route of such models.
    """
    route = listed.routes.get(name)
    meant = [step.model for step in route.steps] if route else [name]
    return tuple(model for model in meant if model in tier.models and _is_open_to(tier, model, listed))


def allowed_names(tier: Tier, listed: Catalogue) -> tuple[str, ...]:
    """Return every name that a caller of this tier may ask for: models, then routes, in the catalogue's order."""
    return tuple(name for name in (*listed.models, *listed.routes) if allowed(name, tier, listed))


def context_model(name: str, tier: Tier) -> CatalogueModel:
    """Return the model that is to write contexts; `InvalidFieldError` lists what the tier has instead."""
    listed = catalogue()
    if name in listed.models and allowed(name, tier, listed):
        return listed.models[name]
    having = ", ".join(each for each in listed.models if allowed(each, tier, listed))
    raise InvalidFieldError("context_model", f"tier {tier.name} has no model {name[:80]!r}: use one of {having}")


def _is_open_to(tier: Tier, model_id: str, listed: Catalogue) -> bool:
    model = listed.models.get(model_id)
    return model is not None and (not model.tiers or tier.name in model.tiers)
