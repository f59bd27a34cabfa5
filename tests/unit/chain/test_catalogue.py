"""The catalogue and the price file belong together."""

import pytest

from plinth.chain.catalogue import catalogue, model
from plinth.errors import InvalidRequestError
from plinth.money.prices import UnpricedModelError, price_of


@pytest.mark.parametrize("model_id", list(catalogue().models))
def test_every_model_of_the_catalogue_has_a_price_with_its_source_and_date(model_id: str) -> None:
    price = price_of(model_id)

    assert price.source
    assert price.as_of >= "2026-01-01"


def test_an_unknown_model_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(InvalidRequestError, match="claude-haiku-5-5"):
        model("gpt-0")


def test_a_model_without_a_price_is_refused() -> None:
    with pytest.raises(UnpricedModelError, match=r"prices\.json"):
        price_of("unpriced")
