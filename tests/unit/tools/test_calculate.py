"""calculate: decimal arithmetic, and nothing that is not arithmetic."""

from collections.abc import Sequence

import msgspec
import pytest

from plinth.contracts.memory import StoredPassage
from plinth.tools.calculate import CALCULATE
from plinth.tools.tool import Surroundings, ToolFailedError


def no_search(words: str, limit: int) -> tuple[StoredPassage, ...]:
    raise AssertionError(f"{words} {limit}: arithmetic needs no documents")


def value(expression: str) -> str:
    arguments = msgspec.json.encode({"expression": expression}).decode()
    return CALCULATE.call(arguments, Surroundings(now=0.0, search=no_search)).text


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0.1 + 0.2", "0.3"),
        ("-3 * (2 + 4)", "-18"),
        ("10**25 + 1", "10000000000000000000000001"),
        ("1 / 3", "0.3333333333333333333333333333"),
        ("2**100", "1.267650600228229401496703205E+30"),
        ("1_000 * 1.19", "1190"),
        ("round(2.675, 2)", "2.68"),
        ("round(1234.5)", "1234"),
        ("sqrt(2) ** 2", "1.999999999999999999999999999"),
        ("max(1, abs(-7), min(2, 3))", "7"),
        (" 1 ", "1"),
    ],
)
def test_a_formula_has_its_decimal_value(expression: str, expected: str) -> None:
    assert value(expression) == expected


HOSTILE: Sequence[str] = (
    "__import__('os').system('true')",
    "(1).__class__",
    "[1, 2]",
    "'a' * 3",
    "open",
    "round()",
    "round(1, 2, 3)",
    "max()",
    "abs(x=1)",
    "True + 1",
    "1 if 1 else 2",
    "0x10",
    "1j",
    "(((1",
    "-" * 200,
    "(" * 200,
    "1 % 2",
    "1 // 2",
)


@pytest.mark.parametrize("expression", HOSTILE)
def test_what_is_no_formula_is_told_to_the_model(expression: str) -> None:
    with pytest.raises(ToolFailedError, match="the expression"):
        value(expression)


@pytest.mark.parametrize("expression", ["1 / 0", "9**9**9", "sqrt(-1)", "(-8) ** 0.5", "0**0", "10**999 * 10"])
def test_a_formula_without_a_value_is_told_at_once(expression: str) -> None:
    with pytest.raises(ToolFailedError, match="has no value"):
        value(expression)


@pytest.mark.parametrize("arguments", ["{}", '{"expression": 1}', '{"expression": "1", "more": 2}', "[]", "{"])
def test_other_arguments_are_told_to_the_model(arguments: str) -> None:
    with pytest.raises(ToolFailedError, match="arguments"):
        CALCULATE.call(arguments, Surroundings(now=0.0, search=no_search))


def test_a_formula_of_more_than_its_most_characters_is_told_to_the_model() -> None:
    with pytest.raises(ToolFailedError, match="length <= 200"):
        value("1+" * 100 + "1")
