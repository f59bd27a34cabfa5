"""Fetching pages for a model: over a loopback server that plays the hosts of the internet, by scripted resolvers."""

import gzip
import socket
import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

from plinth.adapters.checked_web import MAX_BYTES, CheckedWeb
from plinth.errors import PageUnreadableError
from tests.fakes.providers.certificates import CERTIFICATE, self_signed_context
from tests.fakes.web_server import Script, WebServer, answer, web_server

pytestmark = pytest.mark.guarantee_h
PUBLIC = "93.184.216.34"
HOSTS = ("docs.example.org", "more.example.org")
URL = "http://docs.example.org/page"


def resolver(**by_host: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Resolve `docs` as docs.example.org, and every host without a word of its own to a public address."""
    return lambda host, _port: by_host.get(host.split(".")[0], [PUBLIC])


def redirect(location: str, status: bytes = b"302 Found") -> bytes:
    return answer(b"", b"Location: " + location.encode(), status=status)


@contextmanager
def internet(*pieces: bytes, then: Iterable[bytes] = ()) -> Generator[tuple[CheckedWeb, WebServer]]:
    """Answer each request with the next of the pieces, the last one again and again, and all of `then` after it."""
    turns = iter([*pieces[:-1], *[pieces[-1]] * 20])
    with web_server(lambda _: chain([next(turns)], then)) as server:
        yield CheckedWeb(resolver=resolver(), connect=server.connect), server


def refusal(web: CheckedWeb, *, url: str = URL, seconds: float = 5.0) -> str:
    with pytest.raises(PageUnreadableError) as refused:
        web.get(url, hosts=HOSTS, seconds=seconds)
    return str(refused.value)


def test_a_page_is_fetched_with_its_type_and_its_last_url() -> None:
    with internet(
        redirect("//more.example.org/b?c=1"), answer(b"Hello.", b"Content-Type: Text/HTML; charset=utf-8")
    ) as (
        web,
        server,
    ):
        page = web.get(URL, hosts=HOSTS, seconds=5.0)

    assert (page.url, page.content_type, page.body) == ("http://more.example.org/b?c=1", "text/html", b"Hello.")
    assert [head.split(b"\r\n")[0] for head in server.requests] == [b"GET /page HTTP/1.1", b"GET /b?c=1 HTTP/1.1"]


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1251", "Привет, мир"),
        ("Shift_JIS", "営業時間は九時から"),
        ("ISO-8859-2", "Łódź żółw"),
        ("iso-2022-jp", "営業時間"),
        ("gb2312", "朱镕基"),
    ],
)
def test_a_page_comes_in_utf8_where_its_server_names_another_charset(charset: str, text: str) -> None:
    body = text.encode("gbk" if charset == "gb2312" else charset)
    with internet(answer(body, f"Content-Type: text/plain; charset={charset}".encode())) as (web, _):
        assert web.get(URL, hosts=HOSTS, seconds=5.0).body.decode() == text


@pytest.mark.parametrize(
    "said",
    [
        b"text/html; charset=rot13",
        b"text/html; charset=windows-99",
        b"text/html; charset=",
        b"application/pdf; charset=koi8-r",
    ],
)
def test_a_page_whose_charset_says_nothing_comes_as_it_is(said: bytes) -> None:
    with internet(answer("é".encode(), b"Content-Type: " + said)) as (web, _):
        assert web.get(URL, hosts=HOSTS, seconds=5.0).body == "é".encode()


def test_a_request_says_nothing_of_its_caller_and_nothing_that_a_server_set() -> None:
    cookie = answer(b"", b"Location: /again", b"Set-Cookie: id=1; Path=/", status=b"307 Temporary Redirect")
    with internet(cookie, answer(b"Hello.")) as (web, server):
        web.get(URL, hosts=HOSTS, seconds=5.0)

    names = {line.split(b":")[0] for head in server.requests for line in head.strip().split(b"\r\n")[1:]}
    assert names == {b"Host", b"User-Agent", b"Accept", b"Accept-Encoding", b"Connection"}


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], [PUBLIC, "10.0.0.1"], ["fd00:ec2::254"], []],
)
def test_a_host_with_any_address_that_is_not_public_is_never_connected_to(addresses: Sequence[str]) -> None:
    with web_server(lambda _: [answer(b"secret")]) as server:
        web = CheckedWeb(resolver=resolver(docs=addresses), connect=server.connect)

        assert "not on the public internet" in refusal(web)
        assert server.requests == []


def test_a_name_that_resolves_anew_to_something_inside_is_asked_for_once_and_the_checked_address_is_used() -> None:
    addresses = iter([[PUBLIC], ["127.0.0.1"]])
    used: list[tuple[str, int]] = []
    with web_server(lambda _: [answer(b"Hello.")]) as server:

        def connect(address: tuple[str, int], seconds: float) -> socket.socket:
            used.append(address)
            return server.connect(address, seconds)

        web = CheckedWeb(resolver=lambda *_: next(addresses), connect=connect)
        web.get(URL, hosts=HOSTS, seconds=5.0)

    assert used == [(PUBLIC, 80)]
    assert next(addresses) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://evil.test/",
        "http://docs.example.org:8080/",
        "http://user@docs.example.org/",
        "file:///etc/passwd",
        "http://[::1",
        "http://docs.example.org/\N{LATIN SMALL LETTER A WITH DIAERESIS}",
    ],
)
def test_a_redirect_is_checked_like_the_first_url(location: str) -> None:
    with internet(redirect(location)) as (web, server):
        refusal(web)

    assert len(server.requests) == 1


def test_a_redirect_to_a_listed_host_that_resolves_to_something_private_is_refused() -> None:
    with web_server(lambda _: [redirect("http://more.example.org/")]) as server:
        web = CheckedWeb(resolver=resolver(more=["192.168.0.1"]), connect=server.connect)

        assert "more.example.org is not on the public internet" in refusal(web)
        assert len(server.requests) == 1


def test_redirects_are_bounded() -> None:
    with internet(redirect("/again")) as (web, server):
        assert "more than 3 times" in refusal(web)

    assert len(server.requests) == 4


def test_a_body_that_is_larger_than_it_may_be_is_left_as_soon_as_that_is_seen() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    with internet(head, then=(b"x" * 65_536 for _ in range(10_000))) as (web, _):
        assert "larger than 2 MB" in refusal(web)


def test_a_body_of_the_largest_size_is_read_whole() -> None:
    with internet(answer(b"x" * MAX_BYTES)) as (web, _):
        assert len(web.get(URL, hosts=HOSTS, seconds=10.0).body) == MAX_BYTES


def test_a_body_in_chunks_is_read_whole_and_bounded_too() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    with internet(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") as (web, _):
        assert web.get(URL, hosts=HOSTS, seconds=5.0).body == b"abcde"
    with internet(head, then=(b"10000\r\n" + b"x" * 65_536 + b"\r\n" for _ in range(100))) as (web, _):
        assert "larger than 2 MB" in refusal(web)


def test_a_compressed_page_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    with internet(answer(bomb, b"Content-Encoding: gzip")) as (web, _):
        assert "compressed" in refusal(web)


@contextmanager
def dripping(beginning: bytes, drip: bytes) -> Generator[CheckedWeb]:
    """Serve a beginning at once and then a drip every 50 ms, for as long as anybody listens."""

    def script(_: bytes) -> Iterator[bytes]:
        yield beginning
        while not server.stopping.wait(0.05):
            yield drip

    with web_server(script) as server:
        yield CheckedWeb(resolver=resolver(), connect=server.connect)


@pytest.mark.parametrize(
    ("beginning", "drip"),
    [
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", b"z"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n", b"z"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nz\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"T: u\r\n"),
    ],
)
def test_a_server_that_sends_a_little_now_and_then_or_nothing_is_cut_off(beginning: bytes, drip: bytes) -> None:
    with dripping(beginning, drip) as web:
        assert "took too long" in refusal(web, seconds=0.4)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % each for each in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        answer(b"no", status=b"404 Not Found"),
        answer(b"", status=b"302 Found"),
        answer(b"\x89PNG", b"Content-Type: image/png"),
        answer(b"MZ", b"Content-Type: application/octet-stream"),
    ],
)
def test_what_is_no_whole_page_of_a_known_type_is_refused(raw: bytes) -> None:
    with internet(raw) as (web, _):
        assert refusal(web)


def test_a_second_answer_in_one_connection_is_never_read() -> None:
    with internet(answer(b"first") + answer(b"second")) as (web, _):
        assert web.get(URL, hosts=HOSTS, seconds=5.0).body == b"first"


def test_a_host_that_does_not_resolve_or_answer_is_told_by_name() -> None:
    def nothing(*_: object) -> list[str]:
        raise OSError("no such host")

    assert "docs.example.org could not be read" in refusal(CheckedWeb(resolver=nothing))


SECURE = "https://docs.example.org/page"


@contextmanager
def over_tls(
    script: Script, folder: Path, *, host: str = "docs.example.org", trusted: bool = True
) -> Generator[tuple[CheckedWeb, WebServer]]:
    """Serve with a certificate of the host, which is trusted or not."""
    context = self_signed_context(folder, host=host)
    trusting = ssl.create_default_context(cafile=str(folder / CERTIFICATE) if trusted else None)
    with web_server(script, tls=context) as server:
        yield CheckedWeb(resolver=resolver(), connect=server.connect, tls=trusting), server


def test_a_page_over_tls_is_fetched_from_the_checked_address_under_its_hosts_name(tmp_path: Path) -> None:
    with over_tls(lambda _: [answer(b"Hello.")], tmp_path) as (web, server):
        page = web.get(SECURE, hosts=HOSTS, seconds=5.0)

    assert page.body == b"Hello."
    assert b"Host: docs.example.org\r\n" in server.requests[0]


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    with over_tls(lambda _: [answer(b"Hello.")], tmp_path, host="evil.test") as (web, server):
        assert "could not be read" in refusal(web, url=SECURE)

    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with over_tls(lambda _: [answer(b"Hello.")], tmp_path, trusted=False) as (web, server):
        assert "could not be read" in refusal(web, url=SECURE)

    assert server.requests == []


def test_a_redirect_from_https_to_http_is_not_followed(tmp_path: Path) -> None:
    with over_tls(lambda _: [redirect("http://docs.example.org/")], tmp_path) as (web, _):
        assert "from https to http" in refusal(web, url=SECURE)


def test_a_handshake_that_never_ends_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        web = CheckedWeb(
            resolver=resolver(),
            connect=lambda _, seconds: socket.create_connection(silent.getsockname(), seconds),
        )
        assert "took too long" in refusal(web, url=SECURE, seconds=0.4)
