"""The catalogue: what it may say, how it refuses what it can't mean, and that each model has its price."""

import json
from pathlib import Path
from typing import Any

import pytest

from plinth.chain.catalogue import ALWAYS, CatalogueError, catalogue, model, names, read_catalogue, route
from plinth.errors import InvalidRequestError
from plinth.money.prices import UnpricedModelError, price_of

MODEL = {
    "id": "plinth-local",
    "provider": "sagemaker",
    "provider_model": "m",
    "context_window": 4096,
    "max_output_tokens": 100,
    "passage_characters": 1000,
    "history_turns": 2,
}
OTHER = {**MODEL, "id": "plinth-gpu", "passage_characters": 500, "history_turns": 5}


def content(*models: dict[str, Any], routes: tuple[dict[str, Any], ...] = ()) -> bytes:
    return json.dumps({"models": models or (MODEL, OTHER), "routes": routes}).encode()


def to(name: str, *models: str) -> dict[str, Any]:
    return {"name": name, "steps": [{"model": each} for each in models]}


@pytest.fixture
def on_a_laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return how a file takes the place of the packaged catalogue, for one test."""

    def replace(text: bytes) -> None:
        (tmp_path / "catalogue.json").write_bytes(text)
        monkeypatch.setenv("PLINTH_CATALOGUE", str(tmp_path / "catalogue.json"))
        catalogue.cache_clear()

    yield replace
    monkeypatch.delenv("PLINTH_CATALOGUE", raising=False)
    catalogue.cache_clear()
    catalogue()  # again the packaged one: a deployed stack of this session has another


@pytest.mark.parametrize("model_id", list(catalogue().models))
def test_every_model_of_the_catalogue_has_a_price_with_its_source_and_date(model_id: str) -> None:
    price = price_of(model_id)

    assert price.source
    assert price.as_of >= "2026-01-01"


@pytest.mark.parametrize("model_id", list(catalogue().models))
def test_every_model_can_read_its_passages_and_write_its_output(model_id: str) -> None:
    listed = catalogue().models[model_id]

    assert listed.passage_characters / 3 + listed.max_output_tokens < listed.context_window


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{", "malformed"),
        (content({**MODEL, "temprature": 1}), "temprature"),
        (content({**MODEL, "provider": "acme"}), r"acme.*\$\.models\[0\]\.provider"),
        (content({**MODEL, "capabilities": ["flight"]}), "flight"),
        (content(MODEL, {**OTHER, "id": "plinth-local"}), "share the name 'plinth-local'"),
        (content(routes=(to("r", "plinth-gpu"), to("r", "plinth-local"))), "share the name 'r'"),
        (content(routes=(to("r"),)), "route 'r' needs at least one model"),
        (content(routes=(to("plinth-gpu", "plinth-local"),)), "route 'plinth-gpu' needs .* a name that no model has"),
        (content(routes=(to("r", "plinth-local", "gone"),)), "route 'r' names 'gone'"),
        (content(routes=({**to("r", "plinth-local"), "steps": [{"model": "x", "move_on": ["bored"]}]},)), "bored"),
        (content(routes=({**to("r", "plinth-local"), "stiky": True},)), "stiky"),
    ],
    ids=[
        "no JSON",
        "unknown field of a model",
        "unknown provider",
        "unknown capability",
        "two models of one id",
        "two routes of one name",
        "empty route",
        "route named as a model",
        "route of an unknown model",
        "unknown reason to move on",
        "unknown field of a route",
    ],
)
def test_a_catalogue_that_cannot_be_meant_is_refused_and_the_entry_named(text: bytes, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        read_catalogue(text)


def test_a_catalogue_with_a_model_without_a_price_is_refused_and_the_model_named() -> None:
    with pytest.raises(UnpricedModelError, match="'free-lunch' has no row"):
        read_catalogue(content({**MODEL, "id": "free-lunch"}))


def test_models_and_routes_keep_the_order_of_the_file() -> None:
    read = read_catalogue(content(OTHER, MODEL, routes=(to("z", "plinth-gpu"), to("a", "plinth-gpu"))))

    assert (list(read.models), list(read.routes)) == (["plinth-gpu", "plinth-local"], ["z", "a"])


def test_an_unknown_model_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(InvalidRequestError, match=r"'gpt-0' is not in the catalogue; use one of .*claude-haiku-5-5"):
        model("gpt-0")


def test_the_name_of_a_model_is_the_route_to_it_alone_that_moves_on_for_any_reason() -> None:
    alone = route("claude-haiku-5-5")

    assert [(step.model, step.move_on) for step in alone.steps] == [("claude-haiku-5-5", ALWAYS)]
    assert alone.models == (model("claude-haiku-5-5"),)


def test_a_name_of_neither_a_model_nor_a_route_is_no_route() -> None:
    with pytest.raises(InvalidRequestError, match="fastest"):
        route("fastest")


def test_a_route_reads_as_little_as_its_smallest_model_and_remembers_as_little_as_its_most_forgetful(
    on_a_laptop: Any,
) -> None:
    on_a_laptop(content(routes=(to("both", "plinth-local", "plinth-gpu"),)))

    both = route("both")

    assert [each.id for each in both.models] == ["plinth-local", "plinth-gpu"]
    assert (both.passage_characters, both.history_turns) == (500, 2)


def test_a_file_of_ones_own_takes_the_place_of_the_packaged_catalogue(on_a_laptop: Any) -> None:
    on_a_laptop(content(MODEL, routes=(to("only", "plinth-local"),)))

    assert names() == ("plinth-local", "only")
