"""Which URLs may be fetched."""

import pytest

from plinth.errors import PageUnreadableError
from plinth.tools.urls import Target, target_of

pytestmark = pytest.mark.guarantee_h
HOSTS = ("docs.example.org", "*.example.net")


def test_a_url_of_a_listed_host_is_taken_apart_without_its_fragment() -> None:
    assert target_of("HTTPS://Docs.Example.org:443/a/b%20c?q=1#part", hosts=HOSTS) == Target(
        url="https://docs.example.org/a/b%20c?q=1",
        scheme="https",
        host="docs.example.org",
        port=443,
        path="/a/b%20c?q=1",
    )
    assert target_of("http://a.b.example.net.", hosts=HOSTS).path == "/"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://docs.example.org.evil.test/",
        "https://evildocs.example.org/",
        "https://example.net/",
        "https://notexample.net/",
    ],
)
def test_a_host_off_the_list_is_refused_with_the_list(url: str) -> None:
    with pytest.raises(PageUnreadableError, match=r"not among the hosts.*docs\.example\.org"):
        target_of(url, hosts=HOSTS)


def test_without_a_list_every_host_is_refused() -> None:
    with pytest.raises(PageUnreadableError, match="may be read: none"):
        target_of("https://docs.example.org/", hosts=())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://docs.example.org/",
        "file:///etc/passwd",
        "gopher://docs.example.org/",
        "//docs.example.org/",
        "docs.example.org",
        "https:/docs.example.org/",
        "javascript:alert(1)",
        "",
    ],
)
def test_any_other_scheme_is_refused(url: str) -> None:
    with pytest.raises(PageUnreadableError):
        target_of(url, hosts=HOSTS)


@pytest.mark.parametrize(
    "authority",
    [
        *(
            "user@docs.example.org",
            "user:word@docs.example.org",
            "docs.example.org@evil.test",
            "evil.test#@docs.example.org",
        ),
        *("docs.example.org:8080", "docs.example.org:80", "docs.example.org:", "docs.example.org:443:443"),
        *("127.0.0.1", "[::1]", "2130706433", "0x7f.0.0.1", "localhost", "169.254.169.254", "93.184.216.34"),
        *("docs.example.org%00.evil.test", "docs..example.org", "-docs.example.org", ""),
    ],
)
def test_what_is_more_or_less_than_a_name_is_refused(authority: str) -> None:
    with pytest.raises(PageUnreadableError):
        target_of(f"https://{authority}/", hosts=(*HOSTS, "127.0.0.1", "localhost", "[::1]"))


@pytest.mark.parametrize(
    "url",
    [
        "https://docs.example.org/\r\nHost: evil.test",
        "https://docs.example.org/ HTTP/1.1",
        "https://docs.example.org\\@evil.test/",
        "https://docs.example.org/\x00",
        "https://docs.example.org/\N{LATIN SMALL LETTER A WITH DIAERESIS}",
        "https://docs\N{IDEOGRAPHIC FULL STOP}example.org/",
        "\thttps://docs.example.org/",
        "https://docs.example.org/" + "a" * 2000,
    ],
)
def test_what_is_not_visible_ascii_is_refused(url: str) -> None:
    with pytest.raises(PageUnreadableError, match="visible ASCII"):
        target_of(url, hosts=HOSTS)
