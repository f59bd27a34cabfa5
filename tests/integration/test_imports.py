"""Folders by the import machine: through API, work bucket, distributed Map and bucket events, to the search."""

import time
from pathlib import Path

import pytest

from client.importing import ImportOptions, Listed, import_files, listed
from client.uploading import source_files
from plinth.contracts.importing import ImportRecord
from tests.integration.conftest import Deployed
from tests.integration.uploads import passages

pytestmark = pytest.mark.integration

TENANT = "shelved"
"""A tenant of its own, so that what is imported is no source of another test's answers."""


def imported(deployed: Deployed, folder: Path, **options: object) -> ImportRecord:
    files = [each for file in source_files([folder]) if isinstance(each := listed(file), Listed)]
    with deployed.api(TENANT) as api:
        return import_files(api, files, ImportOptions(**options), told=lambda _name, _more: None)


@pytest.mark.guarantee_d
def test_a_folder_is_searchable_once_with_its_labels_and_what_failed_is_told_and_taken_up_again(
    deployed: Deployed, tmp_path: Path
) -> None:
    for number in range(7):
        (tmp_path / f"note-{number}.md").write_text(f"# Note {number}\n\nThe capybara number {number} likes water.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 this is no PDF")

    first = imported(deployed, tmp_path, metadata={"team": "capybaras"})

    assert (first.state, first.ready, first.failed, first.unchanged) == ("done", 7, 1, 0), first
    assert [failure.name for failure in first.failures] == ["broken.pdf"]
    with deployed.api(TENANT) as api:
        known = {each.name: each for each in api.documents()}
    for number in range(7):
        found = passages(deployed, known[f"note-{number}.md"].document_id)
        assert [(each["metadata"], each["generation"]) for each in found] == [
            (["team=capybaras"], known[f"note-{number}.md"].generation)
        ]

    (tmp_path / "broken.pdf").unlink()
    (tmp_path / "note-3.md").write_text("# Note 3\n\nThis one has changed.")
    second = imported(deployed, tmp_path, metadata={"team": "capybaras"})

    assert (second.state, second.ready, second.failed, second.unchanged) == ("done", 1, 0, 6), second
    (changed,) = passages(deployed, known["note-3.md"].document_id)
    assert "changed" in changed["text"]


def test_an_import_that_fails_more_than_it_tolerates_stops_and_says_so(deployed: Deployed, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"bad-{number}.pdf").write_bytes(b"%PDF-1.7 no")

    stopped = imported(deployed, tmp_path, tolerated_failure_percentage=10)

    assert (stopped.state, stopped.failed) == ("stopped", 2)


def test_two_starts_of_the_same_files_are_one_import(deployed: Deployed, tmp_path: Path) -> None:
    (tmp_path / "once.md").write_text(f"# Once\n\nOnly one of us runs: {time.time()}")

    first = imported(deployed, tmp_path, wait=False)
    second = imported(deployed, tmp_path)

    assert first.import_id == second.import_id
    assert (second.state, second.attempt, second.ready) == ("done", 1, 1)
