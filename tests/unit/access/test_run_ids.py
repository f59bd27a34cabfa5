"""What a run's id says by itself."""

from hypothesis import given
from hypothesis import strategies as st

from plinth.access.run_ids import begun_at, is_run_id, new_run_id, run_of


@given(st.integers(min_value=0, max_value=2**48 - 1))
def test_an_id_tells_the_millisecond_at_which_its_run_began(milliseconds: int) -> None:
    run_id = new_run_id(milliseconds / 1000)

    assert is_run_id(run_id)
    assert abs(begun_at(run_id) - milliseconds / 1000) <= 0.001


def test_a_path_names_its_run_only_where_it_is_one() -> None:
    run_id = new_run_id(1.0)

    assert run_of(f"/v1/runs/{run_id}/events") == run_of(f"/v1/runs/{run_id}") == run_id
    assert {run_of("/v1/runs"), run_of("/v1/runs/nonsense"), run_of(f"/v1/documents/{run_id}")} == {None}
