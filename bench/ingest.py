"""What reading a document costs before anything is embedded: parse and split the samples, in process, on one core.

The reference is the least that any reader does: read the file and decode it. The formats are split without counting
tokens, whose cost depends on the text alone and is measured apart. In production each parse runs in a child process of
its own, which is measured last, on the smallest sample.
"""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.figures import Figure, Goal, cpu_ms, in_turns, wall_ms
from bench.host import REPOSITORY
from local.models.files import cache_directory, ensure
from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.parsers.__main__ import parse
from plinth.adapters.word_pieces import WordPieceCounter
from plinth.contracts.memory import SourceObject
from plinth.memory.splitting import split_document

_SAMPLES = REPOSITORY / "samples" / "documents"
_FORMATS = ("text", "markdown", "html", "pdf")
_TIMES = 15
_CHILD_TIMES = 7
_GOAL_DOCUMENTS_PER_SECOND = 2_000
_GOAL_MB_PER_SECOND = 50


def measure(*, large: bool) -> list[Figure]:
    """Return a figure per format, and one of the child process."""
    del large
    return [*(_format(name) for name in _FORMATS), _counting(), _child_process()]


def _format(name: str) -> Figure:
    files = sorted(path for path in (_SAMPLES / name).rglob("*") if path.is_file())
    size_bytes = sum(path.stat().st_size for path in files)
    samples, reference = in_turns(cpu_ms(_each(_read, files)), cpu_ms(_each(_decode, files)), times=_TIMES)
    seconds = statistics.median(samples) / 1000
    mb_per_second = size_bytes / 1e6 / seconds
    goals = (
        Goal(what="10 kB documents/s", value=mb_per_second * 100, limit=_GOAL_DOCUMENTS_PER_SECOND, at_least=True),
        Goal(what="MB/s", value=mb_per_second, limit=_GOAL_MB_PER_SECOND, at_least=True),
    )
    return Figure(
        name=name,
        unit="CPU ms",
        samples=samples,
        reference="reading and decoding the same files",
        reference_samples=reference,
        details={
            "files": len(files),
            "bytes": size_bytes,
            "documents_per_second": round(len(files) / seconds),
            "mb_per_second": round(mb_per_second, 1),
            **({"pages_per_second": round(_pages(files) / seconds)} if name == "pdf" else {}),
        },
        goals=() if name == "pdf" else goals,
    )


def _counting() -> Figure:
    files = sorted((_SAMPLES / "text").iterdir())
    counter = WordPieceCounter(ensure("embedding", cache=cache_directory(), progress=print))
    parsed = [parse(file.name, file.read_bytes()) for file in files]
    counter.count(["warm"])
    samples, reference = in_turns(
        cpu_ms(lambda: [split_document(each, counter) for each in parsed]),
        cpu_ms(lambda: [split_document(each, _Uncounted()) for each in parsed]),
        times=_TIMES,
    )
    size_bytes = sum(file.stat().st_size for file in files)
    return Figure(
        name="split with tokens counted",
        unit="CPU ms",
        samples=samples,
        reference="the same texts split by characters only",
        reference_samples=reference,
        details={"bytes": size_bytes, "mb_per_second": round(size_bytes / 1e3 / statistics.median(samples), 1)},
    )


class _Uncounted:
    """A `TokenCounter` to which nothing is too long."""

    window = 254

    def count(self, texts: Sequence[str]) -> list[int]:
        return [0] * len(texts)


def _child_process() -> Figure:
    file = min((_SAMPLES / "text").iterdir(), key=lambda path: path.stat().st_size)
    source, parser = SourceObject(body=file.read_bytes(), content_type="text/plain"), ChildProcessParser()
    samples, reference = in_turns(
        wall_ms(lambda: parser.parse(file.name, source)),
        wall_ms(lambda: parse(file.name, source.body)),
        times=_CHILD_TIMES,
    )
    return Figure(
        name="child process per document",
        unit="ms",
        samples=samples,
        reference=f"the same parse of {len(source.body)} bytes in process",
        reference_samples=reference,
    )


def _each(work: Callable[[Path], object], files: Sequence[Path]) -> Callable[[], None]:
    def run() -> None:
        for file in files:
            work(file)

    return run


def _read(file: Path) -> object:
    return split_document(parse(file.name, file.read_bytes()), _Uncounted())


def _decode(file: Path) -> object:
    return file.read_bytes().decode("utf-8", errors="replace")


def _pages(files: Sequence[Path]) -> int:
    parsed = (parse(file.name, file.read_bytes()) for file in files)
    return sum(len({section.page for section in document.sections}) for document in parsed)
