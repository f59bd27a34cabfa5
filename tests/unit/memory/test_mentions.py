"""Which words and names of a question no passage holds."""

from dataclasses import replace

import pytest

from plinth.memory.mentions import missing_from
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
    assert missing_from(FOUND, question).words == words


def test_without_passages_every_word_that_counts_is_missing() -> None:
    assert missing_from([], "How do I purge it?").words == ("purge",)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How does APT configure packages of the Snap Store?", ("Snap", "Store")),
        ("Does APT upgrade packages with 'Homebrew', Homebrew or (Nix)?", ("Homebrew", "Nix")),
        ("Homebrew packages, can APT upgrade them? Flathub packages?", ()),
        ("Which APT packages upgrade an APT-based or upgrade/Homebrew system?", ()),
        ("are apt packages configured by homebrew?", ()),
        ("Which Ansible module restores snapshots of a Timeshift?", ()),
        ("Welches Paket richtet APT ein?", ()),
    ],
    ids=["two", "once each", "begins a sentence", "a part is known", "small", "mostly unknown", "another language"],
)
def test_names_are_told_where_most_of_the_question_is_known(question: str, names: tuple[str, ...]) -> None:
    assert missing_from(FOUND, question).names == names


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("The API returns JSON.", "What do the APIs return?"),
        ("SSDs are started by hand.", "How is the SSD started?"),
        ("A GmbH is a company.", "Are all GmbHs a company?"),
        ("Open on Monday and every German holiday.", "Is it open on Mondays, or on the Germans' holiday?"),
        ("Connect to WiFi and send email.", "How do I connect to Wi-Fi and send an E-Mail?"),
        ("Connect to Wi-Fi and send e-mail.", "How do I connect to WiFi and send an Email?"),
        ("Tk waits for I/O.", "Tk, can it wait for I/O?"),
        ("The max size is 5 MB, and installed by policy.", "Which MAXIMUM size has the INSTALL, by the Policies?"),
        ("Die Kündigungsfristen dauern drei Monate.", "Wie lange dauern Kündigungsfrist und Monat?"),
        ("Install a package by its name.", "HOW DO I INSTALL A PACKAGE BY THE NAME VIM?"),
    ],
)
def test_a_name_is_there_in_another_number_case_or_spelling(text: str, question: str) -> None:
    assert missing_from([passage("a", text=text)], question).names == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Unix is installed.", "Nix"),
        ("A trusted Unix is installed.", "Rust"),
        ("JavaScript is installed.", "Java"),
        ("Do what is installed.", "DOS"),
        ("Posts that are installed.", "Postfix"),
        ("All is installed except that.", "Excel"),
        ("The ANSI files are installed.", "Ansible"),
        ("The dock is installed.", "Docker"),
    ],
)
def test_a_word_that_only_looks_like_a_name_is_not_it(text: str, name: str) -> None:
    assert missing_from([passage("a", text=text)], f"What is installed by {name}, how is it installed?").names == (
        name,
    )
