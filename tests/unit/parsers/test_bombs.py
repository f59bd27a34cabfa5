"""Files that are made to hurt are refused with a reason, in the child process of production, within its limits."""

import resource
from collections.abc import Callable

import pytest

from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.parsers.confinement import CPU_SECONDS, MEMORY_BYTES
from plinth.contracts.memory import SourceObject
from plinth.errors import DocumentRefusedError
from tests.unit.parsers.bombs import BOMBS

PARSER = ChildProcessParser()


@pytest.mark.guarantee_d
@pytest.mark.parametrize(("name", "made", "reasons"), BOMBS, ids=[name for name, *_ in BOMBS])
def test_a_bomb_is_refused_with_a_reason(name: str, made: Callable[[], bytes], reasons: set[str]) -> None:
    body = made()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    with pytest.raises(DocumentRefusedError) as refused:
        PARSER.parse(name, SourceObject(body=body, content_type="application/octet-stream"))

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert refused.value.reason in reasons, refused.value
    assert refused.value.message
    assert after.ru_utime - before.ru_utime <= CPU_SECONDS + 1
    assert after.ru_maxrss * 1024 <= MEMORY_BYTES
