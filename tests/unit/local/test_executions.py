"""How long a Retry waits."""

import pytest

from local.cloud.executions import retry_delay_seconds


@pytest.mark.parametrize(
    ("retrier", "delays"),
    [
        ({}, [1, 2, 4, 8]),
        ({"IntervalSeconds": 3, "BackoffRate": 1.5}, [3, 4.5, 6.75, 10.125]),
        ({"IntervalSeconds": 50, "BackoffRate": 2, "MaxDelaySeconds": 150}, [50, 100, 150, 150]),
        ({"IntervalSeconds": 100, "BackoffRate": 1}, [100, 100, 100, 100]),
    ],
)
def test_the_delay_grows_by_the_rate_up_to_its_maximum(retrier: dict[str, float], delays: list[float]) -> None:
    """Without jitter the delay is exact, also over a minute."""
    assert [retry_delay_seconds(retrier, n) for n in range(4)] == delays


def test_full_jitter_draws_from_nothing_up_to_the_delay() -> None:
    """The AWS guide: a delay between 0 and what it would be without jitter."""
    drawn = [retry_delay_seconds({"IntervalSeconds": 10, "JitterStrategy": "FULL"}, 0) for _ in range(200)]
    assert 0 <= min(drawn) < 3
    assert 7 < max(drawn) <= 10
