"""What each reader makes of a file, in the child process that production uses."""

import subprocess
import sys
from pathlib import Path

import pytest

from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.parsers.__main__ import parse
from plinth.adapters.parsers.html import parse_html
from plinth.adapters.parsers.markdown import parse_markdown
from plinth.contracts.memory import SourceObject
from plinth.errors import DocumentRefusedError
from plinth.memory.detection import DocumentKind, detect
from tests.unit.parsers.bombs import docx, page, paragraph, table, word


def test_html_is_cut_at_headings_without_scripts_and_navigation() -> None:
    page = (
        b"<title>T</title><nav>Menu</nav><h1>One</h1><p>First  <b>bold</b>\ntext.<script>x</script></p>"
        b"<h2>Two</h2><p>Second."
    )

    parsed = parse_html("p.html", page)

    assert parsed.title == "T"
    assert [(section.path, section.text) for section in parsed.sections] == [
        (("One",), "One\n\nFirst bold text."),
        (("One", "Two"), "Two\n\nSecond."),
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.html", b"<h1>A</h1>a<h3>Deep</h3>b<h2>Side</h2>c<h1>B</h1>d<h2></h2>e"),
        ("a.md", b"# A\na\n### Deep\nb\n## Side\nc\n# B\nd\n##\ne"),
        (
            "a.docx",
            docx(
                word(
                    "".join(
                        paragraph(text, style=f"Heading{level}") + paragraph("text")
                        for level, text in ((1, "A"), (3, "Deep"), (2, "Side"), (1, "B"))
                    )
                )
            ),
        ),
    ],
    ids=["html", "markdown", "word"],
)
def test_a_section_knows_the_headings_above_it(name: str, body: bytes) -> None:
    paths = [section.path for section in parse(name, body).sections]

    assert paths[:4] == [("A",), ("A", "Deep"), ("A", "Side"), ("B",)]
    assert set(paths[4:]) <= {("B",)}


def test_the_title_of_a_word_document_stands_above_its_headings() -> None:
    body = docx(word("".join(paragraph(each, style=each) for each in ("Title", "Heading1", "Heading2"))))

    assert parse("a.docx", body).sections[-1].path == ("Title", "Heading1", "Heading2")


def test_a_row_of_an_html_table_is_a_line_with_bars_between_its_cells() -> None:
    table = b"<table><tr><th>Name<th>Size<tr><td><p>apt</p><td>4<br>MB<tr><td>dpkg<td><tr><td><td></table>after"

    assert parse_html("p.html", table).sections[0].text == "Name | Size\napt | 4 MB\ndpkg |\n\nafter"


def test_an_html_table_that_lays_a_page_out_is_read_cell_by_cell() -> None:
    page = b"<table><tr><td><h1>A</h1>left<td>right<table><tr><td>i<td>j</table></table>"

    assert [(section.path, section.text) for section in parse_html("p.html", page).sections] == [
        (("A",), "A\n\nleft\nright\n\ni | j")
    ]


def test_html_code_with_empty_lines_is_fenced_and_keeps_its_lines() -> None:
    parsed = parse_html("p.html", b"<p>Run:<pre><code>one\n\n    <b>two</b></code></pre>then")

    assert parsed.sections[0].text == "Run:\n\n```\none\n\n    two\n```\n\nthen"


def test_what_follows_an_html_paragraph_stands_apart_from_it() -> None:
    assert parse_html("p.html", b"<div><p>one</p>two</div>three").sections[0].text == "one\n\ntwo\n\nthree"


@pytest.mark.parametrize("anchor", ["\u00b6", "#"])
def test_the_anchor_behind_an_html_heading_is_no_part_of_it(anchor: str) -> None:
    parsed = parse_html("p.html", f'<h1>C# <a href="#one">{anchor}</a></h1>text'.encode())

    assert parsed.sections[0].path == ("C#",)


def test_html_keeps_the_lines_of_preformatted_text() -> None:
    parsed = parse_html("p.html", b"<p>Run:<pre>one\n    two</pre>")

    assert parsed.sections[0].text == "Run:\n\none\n    two"


def test_markdown_is_cut_at_headings_but_not_inside_code() -> None:
    parsed = parse_markdown("p.md", b"intro\n\n# One\n\n```\n# not a heading\n```\n\nTwo\n---\n\ntext\n")

    assert parsed.title == "One"
    assert [section.path for section in parsed.sections] == [(), ("One",), ("One", "Two")]
    assert "# not a heading" in parsed.sections[1].text


def test_word_is_cut_at_headings_with_lists_and_whole_rows() -> None:
    body = docx(
        word(
            paragraph("Before")
            + paragraph("Guide", style="berschrift1")
            + paragraph("First &amp; last")
            + paragraph("item", item=True)
            + table(("Name", "Size"), ("apt", "4 MB"))
            + paragraph("Next", style="Heading2")
            + paragraph("End")
        ),
        styles=word('<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'),
    )

    parsed = parse("guide.docx", body)

    assert parsed.title == "Guide"
    assert [(section.path, section.text) for section in parsed.sections] == [
        ((), "Before"),
        (("Guide",), "Guide\n\nFirst & last\n\n- item\n\nName | Size\napt | 4 MB"),
        (("Guide", "Next"), "Next\n\nEnd"),
    ]


@pytest.mark.parametrize(
    "rows", [b"name,size\napt,4\n", b"name;size\napt;4\n", b"name\tsize\r\napt\t4\r\n", b'"name","size"\n"apt","4"']
)
def test_a_row_of_a_table_names_its_columns(rows: bytes) -> None:
    assert [section.text for section in parse("sizes.csv", rows).sections] == ["name: apt; size: 4"]


def test_a_line_break_within_a_cell_is_a_space() -> None:
    rows = b'name,note\r\napt,"first line\r\nsecond line"\r\n'

    assert parse("notes.csv", rows).sections[0].text == "name: apt; note: first line second line"


def test_a_table_without_names_keeps_its_first_row() -> None:
    assert parse("a.csv", b"x,x\n1,2\n").sections[0].text == "x; x\n\n1; 2"


def test_json_is_cut_at_objects_under_the_path_that_leads_there() -> None:
    body = b'{"title": "T", "of": {"sizes": [{"n": 1, "big": false}, {"n": null}], "tags": ["a", "b"]}}'

    parsed = parse("a.json", body)

    assert [(section.path, section.text) for section in parsed.sections] == [
        ((), "title: T"),
        (("of", "sizes", "[0]"), "n: 1\nbig: false"),
        (("of", "sizes", "[1]"), "n: null"),
        (("of", "tags"), "- a\n- b"),
    ]


def test_json_lines_are_told_by_their_number() -> None:
    parsed = parse("a.jsonl", b'{"a": 1}\n\n"text"\n{"b": {"c": 2}}')

    assert [(section.path, section.text) for section in parsed.sections] == [
        (("line 1",), "a: 1"),
        (("line 3",), "- text"),
        (("line 4", "b"), "c: 2"),
    ]


def test_headings_stand_where_they_are_below_a_line_separator() -> None:
    parsed = parse("a.md", "one\u2028two\n\n# Head\nbelow".encode())

    assert [(section.path, section.text) for section in parsed.sections] == [
        ((), "one\u2028two"),
        (("Head",), "# Head\nbelow"),
    ]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_half_a_character_of_json_is_marked_and_the_rest_is_read(name: str) -> None:
    source = SourceObject(body=b'{"cut \\ud83d": {"text": "cut \\ud83d"}}', content_type="application/json")

    (section,) = ChildProcessParser().parse(name, source).sections

    assert (section.path[-1], section.text) == ("cut ?", "text: cut ?")


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("a.pdf", b"%PDF-1.7", DocumentKind.PDF),
        ("a.txt", b"%PDF-1.7", DocumentKind.PDF),
        ("a.pdf", b"\n\n%PDF-1.7", DocumentKind.PDF),
        ("a.txt", b"A file begins with %PDF-1.7.", DocumentKind.TEXT),
        ("a.pdf", docx(word(paragraph("text"))) + b"%PDF-1.7", DocumentKind.DOCX),
        ("a.zip", docx(word(paragraph("text"))), DocumentKind.DOCX),
        ("a.md", b"\xef\xbb\xbf<!DOCTYPE HTML><p>text", DocumentKind.HTML),
        ("a.NDJSON", b"{}", DocumentKind.JSONL),
        ("readme", b"text", DocumentKind.TEXT),
    ],
)
def test_the_first_bytes_decide_and_then_the_name(name: str, body: bytes, kind: DocumentKind) -> None:
    assert detect(name, body) is kind


def test_a_foreign_file_is_refused_with_the_list_of_what_is_taken() -> None:
    with pytest.raises(DocumentRefusedError, match=r"\.docx.*\.csv.*\.jsonl"):
        detect("a.exe", b"text")


def test_a_locked_pdf_is_refused_with_what_to_do_about_it() -> None:
    unknown = "(" + "x" * 32 + ")"
    lock = f"<< /Filter /Standard /V 1 /R 2 /O {unknown} /U {unknown} /P -4 >>"
    body = page(b"BT (text) Tj ET").replace(b"trailer <<", f"trailer << /Encrypt {lock} /ID [(a) (a)]".encode())

    with pytest.raises(DocumentRefusedError, match="without a password") as refused:
        parse("locked.pdf", body)

    assert refused.value.reason == "encrypted"


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
@pytest.mark.parametrize("attempt", ["socket.socket()", "os.execv('/bin/true', ['true'])"])
def test_a_confined_process_opens_no_socket_and_starts_no_program(attempt: str) -> None:
    confined = "from plinth.adapters.parsers.confinement import confine; print(confine(), flush=True)"
    script = f"import os, socket; {confined}; {attempt}"

    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert child.stdout == "True\n"
    assert "Operation not permitted" in child.stderr


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
    assert {len(heading) for section in parsed.sections for heading in section.path} <= {300}


@pytest.mark.parametrize("name", ["a.txt", "a.html"])
def test_a_document_of_over_ten_million_characters_is_too_long(name: str) -> None:
    longest = b"word " * 1_999_999 + b"words"

    assert parse(name, longest).sections
    with pytest.raises(DocumentRefusedError) as refused:
        parse(name, b"a" + longest)
    assert refused.value.reason == "too_long"
