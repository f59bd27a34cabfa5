"""What is masked in contents that are shown: what looks like a person's address or number, a card, or a secret.

Patterns miss names and whatever has no form of its own: a reader of redacted contents reads most of the text.
"""

import re
from collections.abc import Mapping, Sequence
from typing import cast

_PATTERNS = (
    ("secret", re.compile(r"\b(?:pl_[a-z]+_|sk-|AKIA|ASIA|gh[pousr]_|xox[abp]-)[A-Za-z0-9_-]{8,}")),
    ("secret", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    ("email", re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("address", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")),
    ("number", re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().\-/]{0,2}\d){6,18}(?![\w.]?\d)")),
)


def redacted(content: object) -> object:
    """Return JSON with every text in it masked; numbers and names of fields stay."""
    match content:
        case str():
            return _masked(content)
        case Mapping():
            return {key: redacted(value) for key, value in cast("Mapping[str, object]", content).items()}
        case Sequence():
            return [redacted(value) for value in cast("Sequence[object]", content)]
        case _:
            return content


def _masked(text: str) -> str:
    for kind, pattern in _PATTERNS:
        text = pattern.sub(f"[{kind}]", text)
    return text
