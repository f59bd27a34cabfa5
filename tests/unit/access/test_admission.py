"""Admission: how a limit is told to a caller."""

import pytest

from plinth.access.admission import limit_headers, policy_headers, require_admitted, retry_after
from plinth.access.run_ids import is_run_id, new_run_id
from plinth.contracts.access import Tier
from plinth.contracts.limits import Admission, Left, LimitName
from plinth.errors import OverloadedError, RateLimitedError
from tests.unit.access.world import TIER


@pytest.mark.parametrize("limit", [LimitName.REQUESTS, LimitName.TOKENS, LimitName.CONCURRENCY])
def test_a_refusal_names_its_limit_and_carries_the_exact_time_to_wait(limit: LimitName) -> None:
    with pytest.raises(RateLimitedError) as error:
        require_admitted(Admission(refused_by=limit, retry_after_seconds=2.345678), TIER)

    assert (error.value.limit, error.value.retry_after_seconds) == (limit, 2.345678)


def test_an_environment_that_is_full_is_no_limit_of_the_tenants() -> None:
    with pytest.raises(OverloadedError) as error:
        require_admitted(Admission(refused_by=LimitName.OVERLOAD, retry_after_seconds=5.0), TIER)

    assert (error.value.status, error.value.retry_after_seconds) == (503, 5.0)


@pytest.mark.parametrize(("seconds", "header"), [(0.0, 0), (0.001, 1), (2.0, 2), (2.000001, 3)])
def test_retry_after_is_rounded_up_so_that_obeying_it_is_enough(seconds: float, header: int) -> None:
    assert retry_after(seconds) == header


def test_the_policy_names_each_limit_that_the_tier_has() -> None:
    unlimited = Tier(name="any", models=("m",), max_output_tokens=1)

    assert policy_headers(unlimited) == {}
    assert policy_headers(TIER) == {
        "RateLimit-Policy": '"requests";q=60;w=60, "tokens";q=100000;w=60, "concurrency";q=10;qu="concurrent-requests"'
    }


def test_what_is_left_is_told_of_each_limit() -> None:
    left = [Left(limit=LimitName.REQUESTS, remaining=2), Left(limit=LimitName.TOKENS, remaining=0, seconds=1.2)]

    assert limit_headers([]) == {}
    assert limit_headers(left) == {"RateLimit": '"requests";r=2;t=0, "tokens";r=0;t=2'}


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
