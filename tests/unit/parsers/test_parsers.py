"""What each reader makes of a file, in the child process that production uses."""

import sys
from pathlib import Path

import pytest

from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.parsers.__main__ import parse
from plinth.adapters.parsers.html import parse_html
from plinth.adapters.parsers.markdown import parse_markdown
from plinth.adapters.parsers.text import parse_text
from plinth.contracts.memory import SourceObject
from plinth.errors import DocumentRefusedError


def test_html_is_cut_at_headings_without_scripts_and_navigation() -> None:
    page = (
        b"<title>T</title><nav>Menu</nav><h1>One</h1><p>First  <b>bold</b>\ntext.<script>x</script></p>"
        b"<h2>Two</h2><p>Second."
    )

    parsed = parse_html("p.html", page)

    assert parsed.title == "T"
    assert [(section.heading, section.text) for section in parsed.sections] == [
        ("One", "One\n\nFirst bold text."),
        ("Two", "Two\n\nSecond."),
    ]


def test_html_keeps_the_lines_of_preformatted_text() -> None:
    parsed = parse_html("p.html", b"<p>Run:<pre>one\n    two</pre>")

    assert parsed.sections[0].text == "Run:\n\none\n    two"


def test_markdown_is_cut_at_headings_but_not_inside_code() -> None:
    parsed = parse_markdown("p.md", b"intro\n\n# One\n\n```\n# not a heading\n```\n\nTwo\n---\n\ntext\n")

    assert parsed.title == "One"
    assert [section.heading for section in parsed.sections] == [None, "One", "Two"]
    assert "# not a heading" in parsed.sections[1].text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_the_encodings_that_people_use(encoding: str) -> None:
    assert parse_text("a.txt", "Größe – 5 €".encode(encoding)).sections[0].text == "Größe – 5 €"


def test_a_reader_that_is_killed_or_too_slow_is_a_refusal() -> None:
    parser = ChildProcessParser(timeout_seconds=0.01)

    with pytest.raises(DocumentRefusedError) as refused:
        parser.parse("a.txt", SourceObject(body=b"text", content_type="text/plain"))

    assert refused.value.reason == "too_slow_to_read"


def test_the_reader_sees_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spy = tmp_path / "python"
    spy.write_text(
        """#!/bin/sh\nprintf '{"reason": "seen", "message": "%s"}' "$(env | cut -d= -f1 | tr '\\n' ' ')"\nexit 3\n"""
    )
    spy.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(spy))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with pytest.raises(DocumentRefusedError) as refused:
        ChildProcessParser().parse("a.txt", SourceObject(body=b"text", content_type="text/plain"))

    assert set(refused.value.message.split()) <= {
        "PYTHONPATH",
        "LANG",
        "PYTHONDONTWRITEBYTECODE",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    }


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.md", b"# %b\n\ntext\n"),
        ("a.html", b"<h1>%b</h1><p>text"),
        ("a.html", b"<title>%b</title><p>text"),
        ("n" * 400 + ".txt", b"text"),
    ],
    ids=["markdown", "heading", "title", "name"],
)
def test_a_title_or_heading_is_kept_to_300_characters(name: str, body: bytes) -> None:
    parsed = parse(name, body.replace(b"%b", b"word " * 4_000))

    assert len(parsed.title) == 300
    assert {len(section.heading) for section in parsed.sections if section.heading} <= {300}


@pytest.mark.parametrize("name", ["a.txt", "a.html"])
def test_a_document_of_over_ten_million_characters_is_too_long(name: str) -> None:
    longest = b"word " * 1_999_999 + b"words"

    assert parse(name, longest).sections
    with pytest.raises(DocumentRefusedError) as refused:
        parse(name, b"a" + longest)
    assert refused.value.reason == "too_long"
