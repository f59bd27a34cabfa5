"""What stands before a Markdown text in YAML is neither its heading nor lost."""

import pytest

from plinth.adapters.parsers.markdown import parse_markdown
from plinth.memory.splitting import split_document
from tests.fakes.models import FakeTokenCounter


@pytest.mark.parametrize(
    ("stated", "heading", "title", "kept"),
    [
        ("title: Return policy", "## Returns", "Return policy", ""),
        ('Title: "Return: policy"  # of 2026', "## Returns", "Return: policy", ""),
        ("title: Return  policy # of 2026", "## Returns", "Return policy", ""),
        ("title:", "## Returns", "p", "title:\n"),
        ("title: Return policy", "# Returns", "Returns", "title: Return policy\n"),
        ("title: >-\n  Return policy", "## Returns", "p", "title: >-\n  Return policy\n"),
    ],
)
def test_facts_before_a_text_are_a_section_and_their_title_its_title(
    stated: str, heading: str, title: str, kept: str
) -> None:
    body = f"---\n{stated}\nauthor: Ann Lee\ntags:\n- shop\n\n# note\n  - b\n---\n\nintro\n\n{heading}\n\ntext\n"

    parsed = parse_markdown("p.md", body.encode())

    assert parsed.title == title
    assert [(section.path, section.text) for section in parsed.sections] == [
        ((), f"{kept}author: Ann Lee\ntags:\n- shop\n\n# note\n  - b"),
        ((), "intro"),
        (("Returns",), f"{heading}\n\ntext"),
    ]
    passages = split_document(parsed, FakeTokenCounter())
    assert [parsed.text[each.start : each.end] for each in passages] == [section.text for section in parsed.sections]


def test_a_title_alone_before_a_text_is_told_as_title_only() -> None:
    parsed = parse_markdown("p.md", b"---\r\ntitle: 'T'\r\n...\r\ntext")

    assert (parsed.title, [section.text for section in parsed.sections]) == ("T", ["text"])


@pytest.mark.parametrize(
    "body",
    ["---\nPlain words.\n---\ntext", "---\na: b\n\ntext", "\n---\na: b\n---\ntext", "---\n\n# H\n---", "--- a: b\n---"],
)
def test_what_only_looks_like_facts_is_text(body: str) -> None:
    assert "".join(section.text for section in parse_markdown("p.md", body.encode()).sections).startswith("---")
