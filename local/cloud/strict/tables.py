"""Which refusals of DynamoDB are imposed on tables of the embedded cloud."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from types import ModuleType

from local.cloud import ministack

Path = tuple[str, ...]

_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b", re.IGNORECASE)
_PATH = r"([#\w][\w.#\[\]]*)"
_SET_PATH = re.compile(_PATH + r"\s*=")
_FIRST_PATH = re.compile(r"(?:^|,)\s*" + _PATH)


def apply() -> None:
    """Impose every rule of this module."""
    service = ministack.module("services.dynamodb")
    no_arithmetic_in_conditions(service)
    no_overlapping_paths(service)


def no_arithmetic_in_conditions(service: ModuleType) -> None:
    """Refuse + and - in a condition, key condition or filter, whose grammar has neither.

    "Condition and filter expressions, operators, and functions in DynamoDB" (AWS guide, read 2026-11).
    """
    ministack.require(service, "_evaluate_condition", "_tokenize")
    evaluate = service._evaluate_condition

    def evaluate_without_arithmetic(
        expression: str, item: object, values: object, names: object, slot: str = "ConditionExpression"
    ) -> object:
        signs = [text for kind, text in service._tokenize(expression or "") if kind in {"PLUS", "MINUS"}]
        if signs:
            raise ValueError(f'Invalid {slot}: Syntax error; token: "{signs[0]}", near: "{expression}"')
        return evaluate(expression, item, values, names, slot)

    ministack.replace(service, "_evaluate_condition", evaluate_without_arithmetic)


def no_overlapping_paths(service: ModuleType) -> None:
    """Refuse an update that names one path twice, or a path and a part of it ("Update expressions", read 2026-11)."""
    ministack.require(service, "_apply_update_expression")
    update = service._apply_update_expression

    def update_apart(
        item: object, expression: str, values: object, names: Mapping[str, str], updated: object = None
    ) -> object:
        for one, two in combinations(updated_paths(expression, names or {}), 2):
            if one[: len(two)] == two[: len(one)]:
                raise ValueError(
                    "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one "
                    f"of these paths; path one: {list(one)}, path two: {list(two)}"
                )
        return update(item, expression, values, names, updated)

    ministack.replace(service, "_apply_update_expression", update_apart)


def updated_paths(expression: str, names: Mapping[str, str]) -> Iterator[Path]:
    """Yield the path that each action of an update expression writes, with its placeholders resolved."""
    parts = _CLAUSE.split(expression)
    for keyword, clause in zip(parts[1::2], parts[2::2], strict=True):
        pattern = _SET_PATH if keyword.upper() == "SET" else _FIRST_PATH
        for path in pattern.findall(clause):
            yield tuple(names.get(part, part) for part in path.replace("[", ".[").split("."))
