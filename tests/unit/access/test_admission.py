"""Admission: how a limit is told to a caller."""

import pytest

from plinth.access.admission import limit_headers, require_admitted, retry_after
from plinth.access.run_ids import is_run_id, new_run_id
from plinth.contracts.access import Admission
from plinth.errors import RateLimitedError
from tests.unit.access.world import TIER


def test_a_refusal_carries_the_exact_time_to_wait() -> None:
    refused = Admission(admitted=False, remaining=0, retry_after_seconds=2.345678)

    with pytest.raises(RateLimitedError) as error:
        require_admitted(refused, TIER)

    assert error.value.retry_after_seconds == 2.345678


@pytest.mark.parametrize(("seconds", "header"), [(0.0, 0), (0.001, 1), (2.0, 2), (2.000001, 3)])
def test_retry_after_is_rounded_up_so_that_obeying_it_is_enough(seconds: float, header: int) -> None:
    assert retry_after(seconds) == header


def test_an_answer_that_was_not_counted_tells_the_policy_only() -> None:
    assert limit_headers(TIER, None) == {"RateLimit-Policy": '"runs";q=60;w=60'}


def test_an_answer_that_was_counted_tells_what_is_left() -> None:
    headers = limit_headers(TIER, Admission(admitted=True, remaining=2, retry_after_seconds=0.0))

    assert headers["RateLimit"] == '"runs";r=2;t=0'


def test_run_ids_sort_by_time_and_never_repeat() -> None:
    ids = [new_run_id(1_700_000_000 + second) for second in range(50)]

    assert ids == sorted(ids)
    assert len({new_run_id(1_700_000_000) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text", ["", "run_", "run_" + "a" * 25, "run_" + "A" * 26, "run_" + "a" * 27, "doc_" + "a" * 26]
)
def test_only_the_form_of_a_run_id_is_looked_up(text: str) -> None:
    assert not is_run_id(text)
    assert is_run_id(new_run_id(0))
