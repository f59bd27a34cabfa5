"""The routes of models: what the caller's tier may use, in the form of OpenAI's list with limits and prices added."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from plinth.access.entitlement import allowed, allowed_names
from plinth.api.exchange import CurrentExchange
from plinth.chain.catalogue import Capability, CatalogueModel, catalogue
from plinth.chain.summarizing import longest_prompt, summary_tokens
from plinth.contracts.access import Tier
from plinth.errors import NotFoundError
from plinth.money.prices import Price, price_of
from plinth.runtime.call_costs import bound_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelView:
    """A model or a route that the caller may name in a run; limits in tokens, `created` in Unix seconds.

    `created` is the day of the entry's price. Of a route, `models` are those that the caller's tier may use, in order;
    limits and capabilities are what each of them has, and there is no price, for any of them may answer.
    `summary_micro_usd` is the most that summing up older turns in plain English text costs at once, in a conversation
    that it answers (text of other letters has more bytes, and up to four times the bound); null where the tier has no
    model for that.
    """

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    kind: Literal["model", "route"]
    context_window: int
    max_output_tokens: int
    capabilities: list[Capability]
    price: Price | None
    models: list[str]
    summary_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """Every model and route that the caller's tier may use."""

    object: Literal["list"] = "list"
    data: list[ModelView]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of models."""
    tags = ["models"]
    resolver.get("/v1/models", summary="List models and routes", tags=tags, operation_id="list_models")(list_models)
    resolver.get("/v1/models/<model>", summary="Read a model or route", tags=tags, operation_id="get_model")(get_model)


def list_models(exchange: CurrentExchange) -> ModelList:
    """Return what the tenant's tier may use; any key in force may ask."""
    tier = exchange.caller.tier
    return ModelList(data=[_view(name, tier) for name in allowed_names(tier, catalogue())])


def get_model(model: str, exchange: CurrentExchange) -> ModelView:
    """Return one model or route; one that the tier lacks is as absent as one that does not exist."""
    tier = exchange.caller.tier
    if not allowed(model, tier, catalogue()):
        raise NotFoundError(f"tier {tier.name} has no model {model}: GET /v1/models lists those it has")
    return _view(model, tier)


def _view(name: str, tier: Tier) -> ModelView:
    listed = catalogue()
    models = [listed.models[each] for each in allowed(name, tier, listed)]
    is_route = name in listed.routes
    return ModelView(
        id=name,
        created=max(_created(each) for each in models),
        owned_by="plinth" if is_route else models[0].provider,
        kind="route" if is_route else "model",
        context_window=min(each.context_window for each in models),
        max_output_tokens=min(each.max_output_tokens for each in models),
        capabilities=[can for can in models[0].capabilities if all(can in each.capabilities for each in models)],
        price=None if is_route else price_of(name),
        models=[each.id for each in models] if is_route else [],
        summary_micro_usd=_summary_bound(min(each.passage_characters for each in models), tier),
    )


def _summary_bound(passage_characters: int, tier: Tier) -> int | None:
    chosen = catalogue().models.get(tier.summary_model or "")
    if chosen is None:
        return None
    tokens = summary_tokens(passage_characters)
    return bound_of(chosen, longest_prompt(tokens), max_output_tokens=tokens)


def _created(model: CatalogueModel) -> int:
    return int(datetime.strptime(price_of(model.id).as_of, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
