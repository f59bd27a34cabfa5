"""`plinth sync`: what is asked of the API, and what is told of its answer."""

import pytest

from client.commands.syncing import place_of, seconds_of, told
from client.errors import UsageError
from client.syncs import Pass, SyncStanding
from plinth.contracts.importing import ImportFailure


def standing(last: Pass | None) -> SyncStanding:
    return SyncStanding(
        id="acme-0123456789ab",
        tenant="acme",
        bucket="team",
        prefix="docs/",
        every_seconds=3600,
        next_at=0.0,
        state="waiting",
        last=last,
    )


def last_pass(**given: object) -> Pass:
    counts = dict.fromkeys(("seen", "added", "changed", "removed", "held_back", "ready", "failed"), 0)
    return Pass(**{"at": 0.0, "problem": "", "refused": (), **counts, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "place"),
    [("s3://team", ("team", "")), ("s3://team/", ("team", "")), ("s3://team/a/b", ("team", "a/b/"))],
)
def test_a_source_is_a_bucket_and_a_folder(source: str, place: tuple[str, str]) -> None:
    assert place_of(source) == place


@pytest.mark.parametrize("source", ["team/docs", "https://team/docs", "s3:///docs"])
def test_another_kind_of_source_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="s3://BUCKET/PREFIX"):
        place_of(source)


def test_times_are_told_with_their_unit() -> None:
    assert [seconds_of(each) for each in ("30m", "1h", "7d")] == [1800, 3600, 604_800]
    with pytest.raises(UsageError, match="1h"):
        seconds_of("3600")


def test_a_pass_that_waits_for_permission_says_how_to_give_it() -> None:
    lines = told(standing(last_pass(seen=3, held_back=40)))

    assert "plinth sync now acme-0123456789ab --allow-deletes" in lines[-1]


def test_refused_objects_are_told_with_their_reason_and_steer_no_terminal() -> None:
    refused = ImportFailure(name="a\x1b[2J.md", reason="taken", message="somebody's")

    assert told(standing(last_pass(refused=(refused,))))[-1] == "  refused: a[2J.md: somebody's [taken]"


def test_a_pass_that_could_do_nothing_says_why_and_no_counts() -> None:
    (_, line) = told(standing(last_pass(problem="team: the bucket refuses to be read")))

    assert line.endswith("nothing was done: team: the bucket refuses to be read")
