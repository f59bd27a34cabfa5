"""Which models and routes a tier may use."""

from plinth.access.entitlement import allowed, allowed_names
from plinth.chain.catalogue import Catalogue, CatalogueModel, Route, RouteStep
from plinth.contracts.access import Tier


def model(model_id: str, *tiers: str) -> CatalogueModel:
    return CatalogueModel(
        id=model_id,
        provider="anthropic",
        provider_model=model_id,
        context_window=1000,
        max_output_tokens=100,
        passage_characters=100,
        history_turns=1,
        tiers=tiers,
    )


def route(name: str, *models: str) -> Route:
    return Route(name=name, steps=tuple(RouteStep(model=each) for each in models))


def tier(name: str, *models: str) -> Tier:
    return Tier(name=name, requests_per_minute=1, burst=1, models=models, max_output_tokens=1)


LISTED = Catalogue(
    models={"cheap": model("cheap"), "good": model("good"), "dear": model("dear", "pro")},
    routes={"best": route("best", "dear", "good"), "dearest": route("dearest", "dear")},
)
FREE, PRO = tier("free", "cheap", "dear", "gone"), tier("pro", "good", "dear")


def test_a_model_needs_the_tiers_list_and_the_catalogues_leave() -> None:
    assert allowed("cheap", FREE, LISTED) == ("cheap",)
    assert allowed("cheap", PRO, LISTED) == ()
    assert allowed("dear", PRO, LISTED) == ("dear",)
    assert allowed("dear", FREE, LISTED) == ()


def test_a_route_is_what_the_tier_may_use_of_it_in_its_order() -> None:
    assert allowed("best", PRO, LISTED) == ("dear", "good")
    assert allowed("best", tier("basic", "good", "dear"), LISTED) == ("good",)


def test_a_route_none_of_whose_models_is_allowed_is_not_allowed() -> None:
    assert allowed("dearest", FREE, LISTED) == ()


def test_a_name_that_the_catalogue_lacks_is_allowed_to_nobody_even_if_a_tier_lists_it() -> None:
    assert allowed("gone", FREE, LISTED) == ()


def test_a_tier_does_not_get_a_route_by_listing_its_name() -> None:
    assert allowed("best", tier("free", "best"), LISTED) == ()


def test_the_names_of_a_tier_are_its_models_then_the_routes_that_it_can_use() -> None:
    assert allowed_names(FREE, LISTED) == ("cheap",)
    assert allowed_names(PRO, LISTED) == ("good", "dear", "best", "dearest")
