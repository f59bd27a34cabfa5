"""Which words of a question no passage holds."""

from dataclasses import replace

import pytest

from plinth.memory.mentions import unmentioned
from tests.unit.memory.test_choosing import passage

TEXT = "APT is configured to upgrade packages; see /etc/apt/apt.conf.d/02proxy, port 3142."
FOUND = [replace(passage("a", text=TEXT), above="Handbook > Upgrades")]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Which command configures upgrades of a package?", ("command",)),
        ("Which command adds Flathub?", ("command", "adds", "Flathub")),
        ("what does the handbook say?", ()),
        ("Is /etc/apt/apt.conf.d/02proxy or /etc/apt/apt.conf.d/03proxy it?", ("etc/apt/apt.conf.d/03proxy",)),
        ("Port 3142 or 3143?", ("3143",)),
        ("Flathub or flathub? Flathub!", ("Flathub", "flathub")),
        ("", ()),
    ],
)
def test_words_are_found_by_their_stem_and_names_whole(question: str, words: tuple[str, ...]) -> None:
    assert unmentioned(question, FOUND) == words


def test_without_passages_every_word_that_counts_is_missing() -> None:
    assert unmentioned("How do I purge it?", []) == ("purge",)
