"""Rules of how long a provider's credential is used."""

from itertools import count

from plinth.adapters.provider_tokens import Token
from tests.fakes.clock import FakeClock


def test_a_token_is_made_again_when_its_life_is_over_and_not_before() -> None:
    clock, made = FakeClock(), count(1)
    token = Token(lambda: f"key {next(made)}", life_seconds=300, clock=clock.now)

    assert [token.value(), token.value()] == ["key 1", "key 1"]
    clock.advance(299)
    assert token.value() == "key 1"
    clock.advance(1)
    assert token.value() == "key 2"


def test_a_token_that_was_dropped_is_made_again_at_once() -> None:
    made = count(1)
    token = Token(lambda: f"key {next(made)}", life_seconds=300)
    token.value()

    token.drop()

    assert token.value() == "key 2"
