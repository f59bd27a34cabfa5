"""API keys: made, taken apart, and refused when mistyped."""

import re

import pytest

from plinth.access.keys import make_key, parse_key


def test_a_made_key_has_the_published_form() -> None:
    assert re.fullmatch(r"pl_local_[a-z0-9]{16}_[A-Za-z0-9]{43}_[0-9a-f]{8}", make_key("local").text)


def test_a_key_taken_apart_is_the_key_that_was_made() -> None:
    key = make_key("dev-eu")

    assert parse_key(key.text) == key


def test_no_two_keys_share_an_id_or_a_secret() -> None:
    keys = [make_key("local") for _ in range(100)]

    assert len({key.id for key in keys}) == len({key.secret for key in keys}) == 100


@pytest.mark.parametrize("position", [3, 12, 30, -12, -1])
def test_one_wrong_character_anywhere_breaks_the_checksum(position: int) -> None:
    text = make_key("local").text
    wrong = "a" if text[position] != "a" else "b"
    mistyped = text[:position] + wrong + text[position:][1:]

    assert parse_key(mistyped) is None


@pytest.mark.parametrize("text", ["", "pl_", "pl_local_x_y_z", "sk-abcdef", "pl_local_" + "a" * 5000, "pl_löcal_a_b_c"])
def test_what_does_not_look_like_a_key_is_none(text: str) -> None:
    assert parse_key(text) is None


def test_a_key_does_not_show_its_secret_when_printed() -> None:
    key = make_key("local")

    assert key.secret not in repr(key)
