"""Which passage a marker names once it has been looked at."""

import pytest

from plinth.chain.markers import MarkerFilter
from tests.unit.chain.test_prompting import passage

PASSAGES = [
    passage("a", 0, "apt marks packages as automatic and removes them later"),
    passage("b", 0, "dpkg --purge removes a package and its configuration files"),
    passage("c", 0, "synaptic uses pkexec to obtain root privileges"),
]
RIGHT = [
    "[1] apt marks packages as automatic and removes them later.\n[2] dpkg --purge removes a package.",
    "- [1] apt marks packages as automatic.\n- [2] dpkg --purge removes a package.",
    "1. [1] apt marks packages as automatic. [2] dpkg --purge removes a package.",
    "Two ways: [1] apt marks packages as automatic. [2] dpkg --purge removes a package.",
    "According to [1], apt marks packages as automatic. According to [2], dpkg removes its configuration files.",
    "As [1, 2] say, apt marks packages as automatic. dpkg --purge removes a package [2].",
    "apt marks packages as automatic and removes them later [1, 2]. dpkg --purge removes a package [2].",
    "apt marks packages as automatic and removes them later [1].\n\ndpkg --purge removes a package [2].",
    "Read it as `synaptic.pkexec.root.argv[1]` there.",
    "Read it so:\n```c\nsynaptic = pkexec(root, privileges[1]);\n\nsynaptic = pkexec(root, privileges[2]);",
    "~~~\nSynaptic uses pkexec [1]\n~~~\ndpkg --purge removes a package [2].",
    "``Synaptic uses ` of pkexec [1]`` here",
]
"""As it should be: markers before their words, after groups, and within code."""


def through(text: str, *, size: int) -> str:
    """Return the text as it comes out of the filter, put in by pieces."""
    markers = MarkerFilter(PASSAGES)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return "".join(map(markers.take, pieces)) + markers.end()


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Synaptic obtains root privileges with pkexec. [1]", "Synaptic obtains root privileges with pkexec. [3]"),
        ("dpkg --purge removes configuration files [2].", "dpkg --purge removes configuration files [2]."),
        (
            "dpkg removes configuration files [3], synaptic uses pkexec for privileges [1].",
            "dpkg removes configuration files [2], synaptic uses pkexec for privileges [3].",
        ),
        ("It removes packages [1].", "It removes packages [1]."),
        ("pkexec [2]", "pkexec [3]"),
        ("Synaptic uses pkexec. This stands in passage [1].", "Synaptic uses pkexec. This stands in passage [3]."),
        (
            "apt marks packages as automatic [1]. It removes them. Synaptic uses `pkexec` for privileges[1].",
            "apt marks packages as automatic [1]. It removes them. Synaptic uses `pkexec` for privileges[3].",
        ),
        ("Yes [1] [2]", "Yes [1] [2]"),
        ("[1] Synaptic obtains root privileges with pkexec.", "[1] Synaptic obtains root privileges with pkexec."),
        ("Synaptic uses pkexec for privileges [9] [0] [1, 2]", "Synaptic uses pkexec for privileges [9] [0] [1, 2]"),
        ("An array a[12 and a[", "An array a[12 and a["),
    ],
    ids=[
        "moved",
        "right",
        "two",
        "as good as any",
        "one word",
        "all before the first",
        "last sentence",
        "no word",
        "before its words",
        "no such passage",
        "no marker",
    ],
)
def test_a_marker_is_moved_to_the_passage_that_holds_what_was_said(said: str, shown: str, size: int) -> None:
    assert through(said, size=size) == shown


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("said", RIGHT)
def test_a_right_marker_stays(said: str, size: int) -> None:
    assert through(said, size=size) == said
