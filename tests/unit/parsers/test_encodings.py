"""In which encoding text is read, and which is refused instead of being read as nonsense."""

import pytest

from plinth.adapters.parsers.__main__ import parse
from plinth.errors import DocumentRefusedError

RUSSIAN = "Цены на услуги указаны в рублях, без налога. "
TEXTS = {
    "windows-1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "gb2312": "价格以人民币计算，不含税。",
    "euc-kr": "가격은 원화로 표시되며 세금은 별도입니다. ",
    "shift_jis": "価格は円で表示され、税は別です。",
    "iso-8859-2": "Zażółć gęślą jaźń. ",
    "iso-8859-7": "Οι τιμές είναι σε ευρώ. ",
}
WESTERN = [
    "Größe und Maße der Türen: „über 5 €“ – ab März.",
    "À l’été, où l’œuvre a été créée, çà et là : « Élan » à Nîmes…",
    "¿Dónde está el año? ¡Aquí!",
    "Não há avaliação; são três opções.",
    "Þá er það æðislegt, öll börnin á Íslandi.",
    "Price ...... £5, ½ off, ··········· page 3, 20 °C",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_the_encodings_that_people_use(encoding: str) -> None:
    assert parse("a.txt", "Größe – 5 €".encode(encoding)).sections[0].text == "Größe – 5 €"


@pytest.mark.parametrize("name", list(TEXTS))
@pytest.mark.parametrize(
    "declared", ['<meta charset="{}">', "<META http-equiv=x content='text/html; charset={}'/>", '<?xml encoding="{}"?>']
)
def test_a_page_is_read_in_the_encoding_that_it_declares(name: str, declared: str) -> None:
    page = f"<html><head>{declared.format(name)}</head><p>{TEXTS[name]}"

    assert parse("a.html", page.encode(name)).sections[0].text == TEXTS[name].strip()


def test_chinese_and_korean_pages_are_read_as_browsers_do_with_later_characters() -> None:
    assert parse("a.html", '<meta charset="gb2312"><p>朱镕基'.encode("gb18030")).sections[0].text == "朱镕基"
    assert parse("a.html", '<meta charset="euc-kr"><p>똠방각하'.encode("cp949")).sections[0].text == "똠방각하"


@pytest.mark.parametrize("declared", ["nonsense", "hex", "utf-16", "idna", "undefined", "utf-8", "cp037", "punycode"])
def test_a_page_that_declares_what_it_can_not_be_is_read_as_one_that_declares_nothing(declared: str) -> None:
    page = f'<meta charset="{declared}"><p>Größe und Maße'.encode("cp1252")

    assert parse("a.html", page).sections[0].text == "Größe und Maße"


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"iso-8859-2", "shift_jis"}))
@pytest.mark.parametrize("file", ["a.txt", "a.html"])
def test_text_that_is_not_western_european_is_refused_where_nothing_says_how_to_read_it(name: str, file: str) -> None:
    body = f"<p class='english markup and words'>{TEXTS[name] * 3}".encode(name)

    with pytest.raises(DocumentRefusedError, match="UTF-8") as refused:
        parse(file, body)

    assert refused.value.reason == "unknown_encoding"


@pytest.mark.parametrize("text", WESTERN)
def test_western_european_text_is_read_without_a_declaration(text: str) -> None:
    assert parse("a.txt", text.encode("cp1252")).sections[0].text == text


@pytest.mark.parametrize("cut", [b"\xff", b"\xe2\x82", b"\xe4"])
def test_one_bad_byte_spoils_no_other_character(cut: bytes) -> None:
    whole = f"{RUSSIAN} Größe und Maße. ".encode() * 3

    assert parse("a.txt", whole + cut).sections[0].text == f"{whole.decode()}\ufffd"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("a.html", "<title>{0}</title><h1>{0}</h1><p>{0}"),
        ("a.md", "# {0}\n\n{0}"),
        ("a.json", '{{"{0}": {{"{0}": "{0}"}}}}'),
        ("{0}.txt", "{0}"),
    ],
)
@pytest.mark.parametrize("written", ["Zu\u0308rich", "Zü\u00adrich", "Zü\u200brich"])
def test_a_word_is_composed_and_whole_wherever_it_stands(name: str, page: str, written: str) -> None:
    parsed = parse(name.format(written), page.format(written).encode())

    assert set(parsed.title.split()) <= {"Zürich", "a"}
    assert all("Zürich" in section.text for section in parsed.sections)
    assert {part for section in parsed.sections for part in section.path} <= {"Zürich"}


def test_a_document_of_unseen_signs_only_holds_no_text() -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        parse("a.txt", "\u200b\n\u00ad".encode())

    assert refused.value.reason == "no_text"
