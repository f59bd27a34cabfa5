"""Files that are made to hurt are refused with a reason, in the child process of production, within its limits."""

import multiprocessing
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.parsers.confinement import CPU_SECONDS, MEMORY_BYTES
from plinth.contracts.memory import SourceObject
from plinth.errors import DocumentRefusedError
from tests.unit.parsers.bombs import BOMBS


@pytest.fixture(scope="module")
def parent() -> Iterator[ProcessPoolExecutor]:
    """Yield a fresh process that starts the parsers: the kernel keeps one peak of memory for all children of one."""
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


def parsed(name: str, body: bytes) -> tuple[str, str, float, int]:
    """Return the reason and message of the refusal, the CPU seconds it took and the peak so far in bytes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        ChildProcessParser().parse(name, SourceObject(body=body, content_type="application/octet-stream"))
    except DocumentRefusedError as refused:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return refused.reason, refused.message, after.ru_utime - before.ru_utime, after.ru_maxrss * 1024
    return "taken", "", 0.0, 0


@pytest.mark.guarantee_d
@pytest.mark.parametrize(("name", "made", "reasons"), BOMBS, ids=[name for name, *_ in BOMBS])
def test_a_bomb_is_refused_with_a_reason(
    parent: ProcessPoolExecutor, name: str, made: Callable[[], bytes], reasons: set[str]
) -> None:
    reason, message, cpu_seconds, peak_bytes = parent.submit(parsed, name, made()).result()

    assert reason in reasons, message
    assert message
    assert cpu_seconds <= CPU_SECONDS + 1
    assert peak_bytes <= MEMORY_BYTES
