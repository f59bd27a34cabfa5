"""What is told of a Word document that was drawn in, worked over or annotated: each sentence once, in its place."""

import pytest

from plinth.adapters.parsers.__main__ import parse
from plinth.adapters.parsers.docx import MAX_DEPTH
from plinth.errors import DocumentRefusedError
from tests.unit.parsers.bombs import docx, paragraph, table, word

_DRAWING = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_SHAPE = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def box(inner: str) -> str:
    """Return a text box as Word writes it: for itself, and once more for old programs."""
    told = f"<w:txbxContent>{inner}</w:txbxContent>"
    return (
        f'<w:r><mc:AlternateContent xmlns:mc="{_DRAWING}"><mc:Choice Requires="wps"><w:drawing>'
        f'<wps:txbx xmlns:wps="{_SHAPE}">{told}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict>'
        f'<v:textbox xmlns:v="urn:schemas-microsoft-com:vml">{told}</v:textbox></w:pict></mc:Fallback>'
        "</mc:AlternateContent></w:r>"
    )


def told(inner: str, **parts: bytes) -> list[tuple[tuple[str, ...], str]]:
    return [(section.path, section.text) for section in parse("a.docx", docx(word(inner), **parts)).sections]


def test_a_text_box_is_told_once_after_the_paragraph_that_it_stands_in() -> None:
    inner = f"<w:p>{run('Important: the pump must be off. ')}{box(paragraph('BOX'))}{run('Then open it.')}</w:p>"

    assert told(inner) == [((), "Important: the pump must be off. Then open it.\n\nBOX")]


def test_a_heading_with_a_text_box_stays_a_heading() -> None:
    heading = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{box(paragraph("BOX"))}{run("Safety")}</w:p>'

    assert told(paragraph("Before") + heading) == [((), "Before"), (("Safety",), "Safety\n\nBOX")]


def test_a_table_in_a_text_box_and_a_text_box_in_a_table_keep_their_cells() -> None:
    inside = f"<w:p>{run('Sizes:')}{box(table(('apt', '4')))}</w:p>"
    cell = f"<w:tc><w:p>{run('a')}{box(paragraph('b'))}</w:p></w:tc>"
    around = f"<w:tbl><w:tr>{cell}<w:tc>{paragraph('c')}</w:tc></w:tr></w:tbl>"

    assert told(inside + around) == [((), "Sizes:\n\napt | 4\n\na b | c")]


def test_what_was_deleted_or_moved_away_is_not_told() -> None:
    inner = (
        f"<w:p><w:moveFrom>{run('Moved. ')}</w:moveFrom>{run('Stays.')}<w:del><w:r><w:br/></w:r></w:del></w:p>"
        f"<w:p><w:moveTo>{run('Moved.')}</w:moveTo></w:p>"
    )

    assert told(inner) == [((), "Stays.\n\nMoved.")]


def test_a_paragraph_that_was_a_heading_once_is_none() -> None:
    before = '<w:pPrChange><w:pPr><w:pStyle w:val="Heading1"/><w:numPr/></w:pPr></w:pPrChange>'

    assert told(f'<w:p><w:pPr><w:pStyle w:val="Normal"/>{before}</w:pPr>{run("Body")}</w:p>') == [((), "Body")]


def test_a_hyphen_that_does_not_break_is_a_hyphen() -> None:
    assert told("<w:p><w:r><w:t>COVID</w:t><w:noBreakHyphen/><w:t>19</w:t></w:r></w:p>") == [((), "COVID-19")]


def notes(kind: str, **texts: str) -> bytes:
    told = (f'<w:{kind} w:id="{each[1:]}">{inner}</w:{kind}>' for each, inner in texts.items())
    return word("".join(told))


def reference(kind: str, number: int) -> str:
    return f'<w:r><w:{kind}Reference w:id="{number}"/></w:r>'


def test_a_note_is_told_once_after_the_paragraph_that_refers_to_it() -> None:
    heading = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{run("Returns")}{reference("footnote", 2)}</w:p>'
    inner = f"<w:p>{run('In 14 days')}{reference('endnote', 1)}{run('.')}{reference('endnote', 1)}</w:p>"
    footnotes = notes("footnote", n0=paragraph("separator"), n2=paragraph("Two", style="Heading2") + paragraph("parts"))

    assert told(heading + inner, footnotes=footnotes, endnotes=notes("endnote", n1=paragraph("Working days."))) == [
        (("Returns",), "Returns\n\nTwo\n\nparts\n\nIn 14 days.\n\nWorking days.")
    ]


def test_a_note_in_a_table_is_told_below_it() -> None:
    cell = f"<w:tc><w:p>{run('apt')}{reference('footnote', 1)}</w:p></w:tc>"
    inner = f"<w:tbl><w:tr>{cell}<w:tc>{paragraph('4')}</w:tc></w:tr></w:tbl>"

    assert told(inner, footnotes=notes("footnote", n1=paragraph("In MB."))) == [((), "apt | 4\n\nIn MB.")]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (word(" " * 200_000_000), "bomb"),
        (word("<w:sdt>" * MAX_DEPTH), "too_deep"),
        (b"<w:footnotes", "unreadable_docx"),
    ],
)
def test_the_limits_of_a_document_hold_for_its_notes(part: bytes, reason: str) -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        told(paragraph("text"), footnotes=part)

    assert refused.value.reason == reason
