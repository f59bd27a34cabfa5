"""Whom a reader's browser could reach from an answer: what several renderers and a browser make of its text."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

HOME = "https://console.example/run"


def addresses(markup: str) -> Iterator[str]:
    """Return every value of markup that a browser could take for an address, as a browser reads it."""
    tree = LexborHTMLParser(f"<body>{markup}")
    for node in tree.css("*"):
        values = [value for value in node.attributes.values() if value]
        if node.tag in ("style", "script"):
            values.append(node.text() or "")
        for value in values:
            for each in re.split(r"[\s,()'\";]+|url=", re.sub(r"[\t\r\n\x00]", "", value).replace("\\", "/")):
                yield re.sub(r"^(https?:)?/{2,}|^(https?:)(?=\w)", r"\1\2//", re.sub(r"^(https?:)/*", r"\1//", each))


def reached(text: str) -> set[str]:
    """Return whom a reader's browser could reach: by links, images and all else of any rendering of the text."""
    renderings = [
        MarkdownIt("commonmark", {"html": True}).render(text),
        MarkdownIt("commonmark", {"html": False}).render(text),
        MarkdownIt("js-default", {"html": True}).render(text),
        text,
    ]
    hosts: set[str] = set()
    for markup in renderings:
        for address in addresses(markup):
            try:
                parts = urlsplit(urljoin(HOME, address))
            except ValueError:
                hosts.add(address)
                continue
            hosts.add(parts.hostname or f"{parts.scheme}:")
        shown = LexborHTMLParser(markup).text()
        bare = re.findall(r"(?:https?|ftp)://[^\s/?#]*|www\.[a-z0-9-]+[^\s/]*|mailto:\S+", shown, re.IGNORECASE)
        hosts.update(re.sub(r".*//|:[0-9]+\Z", "", each).lower() for each in bare)
    return hosts - {"console.example"}
