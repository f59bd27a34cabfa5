"""Rules of what a provider's credential is, and how long it is used."""

from itertools import count

import pytest

from plinth.adapters.provider_tokens import Token, usable_key
from plinth.errors import ModelNotConfiguredError
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


@pytest.mark.parametrize("secret", ["a-key", "a-key\n", " a-key\r\n", "a-key "])
def test_a_key_may_have_blanks_around_it_as_one_that_comes_from_a_file(secret: str) -> None:
    assert usable_key(secret) == "a-key"


@pytest.mark.parametrize("secret", ["", " \n", "a key", "\u201ca-key\u201d", "\ufeffa-key", "a-\x00key"])
def test_what_no_header_can_carry_is_no_key_and_is_not_quoted(secret: str) -> None:
    with pytest.raises(ModelNotConfiguredError, match="put the key into it") as raised:
        usable_key(secret)

    assert "key\u201d" not in str(raised.value)
