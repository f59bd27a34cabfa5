"""Which links an answer may carry: those to listed hosts. All others are taken apart while the text streams.

A model that was talked into it can hide a secret in the address of an image, which a reader's browser fetches at once.
So nothing is parsed as Markdown or HTML, where every renderer differs: whatever any of them could begin a link with is
broken (`](`, `]:`, `<`), unless what follows can be no address or is plainly a listed one; and bare addresses, which
some renderers make into links, are cut down to the host's name. The same text gives the same result however it is cut
into pieces. What is given up: code with `a[i](f(x))` or `<b class="c">` in it reads a little odd, and a listed host has
its slash.
"""

import re
from collections.abc import Sequence

from plinth.contracts.hosts import is_listed

REMOVED = "(link removed)"
MAX_HELD = 300
"""Characters that can be held back until the next ones come: a host's name is at most 253 long."""

_HOST = r"[A-Za-z0-9.-]"
_PLAIN_TAG = r"[A-Za-z0-9 ,.*_/-]"
_PLAIN_PLACE = r"[A-Za-z0-9_ ,.#*+-]"
_ACTIVE = "script|style|iframe|base|svg|math|xmp|plaintext|noscript|template"
_BEGINS = re.compile(
    r"(?P<tag><(?=[A-Za-z/!?]))|(?P<place>\]\()|(?P<definition>\]:)|(?P<coded>&(?=#|(?:colon|sol|period);))"
    r"|(?P<url>https?\\?:\\?/\\?/)|(?P<www>www\\?\.(?=[A-Za-z0-9-]))|(?P<scheme>:\\?/\\?/|(?:mailto|xmpp)\\?:)"
    r"|(?P<slashes>/\\?/(?=[A-Za-z0-9]))",
    re.IGNORECASE,
)
"""What any renderer could begin a link with; some resolve escapes before they look for bare addresses."""
_MAY_BEGIN = re.compile(
    r"(?:<|\]|&(?:c|co|col|colo|colon|s|so|sol|p|pe|per|peri|perio|period)?"
    r"|h|ht|htt|https?\\?:?\\?/?\\?|w|ww|www\\?\.?|:\\?/?\\?|/\\?|/\\?/"
    r"|m|ma|mai|mail|mailt|mailto\\?|x|xm|xmp|xmpp\\?)\Z",
    re.IGNORECASE,
)
_HARMLESS = {
    "tag": re.compile(rf"<(?!/?(?:{_ACTIVE})\b){_PLAIN_TAG}{{1,80}}>", re.IGNORECASE),
    "place": re.compile(rf"\]\({_PLAIN_PLACE}{{0,80}}\)"),
}
_BROKEN = {"tag": "&lt;", "place": "] (", "definition": "] :", "coded": "&amp;"}
_ADDRESS = re.compile(rf"(?:<|\]\()?https?://(?P<host>{_HOST}{{1,253}})", re.IGNORECASE)
_UNDECIDED = re.compile(
    rf"(?:<{_PLAIN_TAG}{{0,80}}|\]\({_PLAIN_PLACE}{{0,80}}|(?:<|\]\()?https?:?/?/?|(?:<|\]\()?https?://{_HOST}{{0,253}}"
    rf"|(?:https?://|www\.|//){_HOST}{{0,253}}(?::\d{{0,5}})?)\Z",
    re.IGNORECASE,
)
_NAME = re.compile(rf"(?://)?(?P<host>{_HOST}{{1,253}})")
_PORT = re.compile(r":[0-9]{1,5}(?!\d)")
_REST_OF_ADDRESS = re.compile(r"[^\s<>()\[\]\"'`{}|]*")


class LinkFilter:
    """Lets text through in pieces, without links to hosts that are not listed."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self.held = ""
        self._dropping = False

    def take(self, text: str) -> str:
        """Return what may be shown so far; at most `MAX_HELD` characters wait for what comes after them."""
        return self._let_through(self.held + text, last=False)

    def end(self) -> str:
        """Return what was held back: nothing comes after it."""
        return self._let_through(self.held, last=True)

    def _let_through(self, text: str, *, last: bool) -> str:
        shown: list[str] = []
        at = 0
        while at < len(text):
            if self._dropping:
                at = _end_of(_REST_OF_ADDRESS, text, at)
                self._dropping = at == len(text)
            begin = _BEGINS.search(text, at)
            if begin is None:
                break
            shown.append(text[at : begin.start()])
            at = begin.start()
            if not last and _UNDECIDED.match(text, at):
                self.held = text[at:]
                return "".join(shown)
            said, at = self._decide(begin, text)
            shown.append(said)
        held = None if last else _MAY_BEGIN.search(text, at)
        shown.append(text[at : held.start()] if held else text[at:])
        self.held = text[held.start() :] if held else ""
        return "".join(shown)

    def _decide(self, begin: re.Match[str], text: str) -> tuple[str, int]:
        """Return what stands in place of a beginning, and where to go on."""
        if begin.lastgroup in _BROKEN:
            return self._broken(begin, text), begin.end()
        address = _ADDRESS if begin.lastgroup == "url" else _NAME
        if begin.lastgroup != "scheme" and self._is_listed(address, text, begin.start()):
            return _with_path(address, text, begin.start())
        if begin.lastgroup == "slashes" and not _is_name(text, begin.end()):
            return begin[0], begin.end()
        end = _end_of(_REST_OF_ADDRESS, text, begin.end())
        self._dropping = end == len(text)
        return _removed(address, text, begin), end

    def _broken(self, begin: re.Match[str], text: str) -> str:
        """Return a piece of syntax as it is, or broken, if what follows could be an address that is not listed."""
        harmless = _HARMLESS.get(begin.lastgroup or "")
        found = harmless.match(text, begin.start()) if harmless else None
        if (found and "//" not in found[0]) or self._is_listed(_ADDRESS, text, begin.start()):
            return begin[0]
        return _BROKEN[begin.lastgroup or ""]

    def _is_listed(self, address: re.Pattern[str], text: str, at: int) -> bool:
        found = address.match(text, at)
        return found is not None and is_listed(found["host"].rstrip(".").lower(), self._hosts)


def without_links(text: str, hosts: Sequence[str]) -> str:
    """Return the whole text without links to hosts that are not listed."""
    links = LinkFilter(hosts)
    return links.take(text) + links.end()


def _with_path(address: re.Pattern[str], text: str, at: int) -> tuple[str, int]:
    """Return the address, with its port, up to a slash, after which nothing can be part of the host any more."""
    found = address.match(text, at)
    if found is None:
        return REMOVED, at
    end = _end_of(_PORT, text, found.start("host") + len(found["host"].rstrip(".")))
    follows = text[end : end + 1]
    slash = "" if not follows or follows in "/?#" or follows.isspace() else "/"
    return text[at:end] + slash, end


def _removed(address: re.Pattern[str], text: str, begin: re.Match[str]) -> str:
    """Return what stands in place of an address: the host's name and port, where they can be read, and no link."""
    found = address.match(text, begin.start()) if begin.lastgroup != "scheme" else None
    name = re.sub(r"^(?:www\.)+", "", found["host"].strip("."), flags=re.IGNORECASE) if found else ""
    port = _PORT.match(text, found.end()) if found else None
    return f"(link removed: {name}{port[0] if port else ''})" if name and "www." not in name.lower() else REMOVED


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _is_name(text: str, at: int) -> bool:
    """Say whether a name of several parts stands here, as hosts have it; a comment in a program does not."""
    found = _NAME.match(text, at)
    return found is not None and "." in found["host"].strip(".")
