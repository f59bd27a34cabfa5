"""Figures to show and to keep."""

import pytest

from bench.figures import Figure, Goal


@pytest.fixture
def figure() -> Figure:
    return Figure(
        name="a question",
        unit="ms",
        samples=(10.0, 40.0, 30.0),
        reference="a product",
        reference_samples=(1.0, 2.0, 10.0),
        details={"model": "small"},
        goals=(
            Goal(what="ms p50", value=30.0, limit=50.0),
            Goal(what="per second", value=33.0, limit=100.0, at_least=True),
        ),
    )
