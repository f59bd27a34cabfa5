"""What a PDF says: words that a line's end cuts, and what was filled into its form."""

from plinth.adapters.parsers.__main__ import parse
from tests.unit.parsers.bombs import page, pdf

_FORM = b"<< /Font << /F 6 0 R >> >>"


def lines(*told: str) -> bytes:
    """Return a PDF whose one page holds these lines."""
    shown = " 0 -12 Td ".join(f"({line}) Tj" for line in told)
    return page(f"BT /F 8 Tf 5 90 Td {shown} ET".encode())


def filled(*, appearance: bytes) -> bytes:
    """Return a PDF with a printed word, and a form in which a field's value is drawn by its appearance."""
    streams = (b"BT /F 8 Tf 5 80 Td (Name) Tj ET", appearance)
    content, drawn = (b"/Length %d >>\nstream\n%s\nendstream" % (len(each), each) for each in streams)
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R] /DR %s >> >>" % _FORM,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources %s /Annots [7 0 R] >>" % _FORM,
        b"<< " + content,
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 90 20] /Resources %s %s" % (_FORM, drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ada) /F 4 /Rect [5 50 95 70] /AP << /N 5 0 R >> >>",
    )


def test_a_hyphen_at_the_end_of_a_line_is_a_hyphen() -> None:
    text = parse("a.pdf", lines("run update-", "alternatives, semi-", "automated")).sections[0].text

    assert text == "run update-alternatives, semi-automated"


def test_a_word_that_a_line_cuts_is_whole_where_it_stands_whole_elsewhere() -> None:
    text = parse("a.pdf", lines("This exam-", "ple is an", "Example.")).sections[0].text

    assert text.splitlines()[0] == "This example is an"


def test_what_was_filled_into_a_form_is_read() -> None:
    body = filled(appearance=b"BT /F 8 Tf 2 5 Td (Ada Lovelace) Tj ET")

    assert parse("a.pdf", body).sections[0].text.split("\n") == ["Name", "Ada Lovelace"]
