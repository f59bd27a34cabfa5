"""What is masked in contents that are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.tracing.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to ada.b+c@mail.example.org today", "write to [email] today"),
        ("call +49 (30) 1234-5678.", "call [number]."),
        ("card 4111 1111 1111 1111, please", "card [number], please"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [iban]"),
        ("from 10.1.2.3", "from [address]"),
        ("key pl_prod_abcd1234_secretsecret", "key [secret]"),
        ("sk-ant-api03-abcdefgh", "[secret]"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "[secret]"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc", "[secret]"),
    ],
)
def test_addresses_numbers_and_secrets_are_masked(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize("text", ["version 5.5 of 2026", "apt-get install -y", "[1] page 12", "3 of 400 tokens", ""])
def test_ordinary_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_every_text_of_a_nest_is_masked_and_numbers_and_names_stay() -> None:
    nest = {"a@b.example": [{"text": "a@b.example", "page": 12345678}, None, True]}

    assert redacted(nest) == {"a@b.example": [{"text": "[email]", "page": 12345678}, None, True]}


@given(st.text(alphabet="0123456789.-+ @ab():/", max_size=3000))
def test_masking_ends_and_is_the_same_twice(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)
