"""Which paths an update expression is seen to write."""

import pytest

from local.cloud.strict.tables import updated_paths


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("SET a = :x, b = b + :y", [("a",), ("b",)]),
        ("SET a.b[0] = :x REMOVE c, d.e", [("a", "b", "[0]"), ("c",), ("d", "e")]),
        ("SET a = if_not_exists(a, list_append(b, :x)), c = list_append(c, :x)", [("a",), ("c",)]),
        ("ADD n :one DELETE s :gone", [("n",), ("s",)]),
        ("set #n.#m=:x", [("name", "#m")]),
    ],
)
def test_the_written_paths_of_each_clause_are_found(expression: str, paths: list[tuple[str, ...]]) -> None:
    """Only targets count: what an expression reads may be named as often as it likes."""
    assert list(updated_paths(expression, {"#n": "name"})) == paths
