"""Every link of the documentation to a place in the repository leads somewhere, its heading included."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
PAGES = sorted(
    path for path in (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), REPOSITORY / "samples" / "README.md")
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
BROKEN_OFF = re.compile(r"\]\((\S*)\n\S*\)")
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Return the names of the headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in HEADING.findall(page.read_text())}


def broken_links_of(page: Path) -> list[str]:
    """Return the links to files that are not there or headings that they lack, and those cut by a line's end."""
    text = CODE.sub("", page.read_text())
    broken = BROKEN_OFF.findall(text)
    for path, anchor in LINK.findall(text):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target)):
            broken.append(f"{path}#{anchor}")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert not broken_links_of(page)


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    links = "[a](#one-two) [b](#three) [c](other.md) [d](page.md#one-two) [e](https://x.org/y) `[f](g)` [h](pa\nge.md)"
    page.write_text(f"# One `two`\n{links}\n")

    assert broken_links_of(page) == ["pa", "#three", "other.md#"]
