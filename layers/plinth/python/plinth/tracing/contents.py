"""What of a run's contents may be read: its tier decides, as it was when the run was accepted."""

from collections.abc import Mapping
from typing import cast

from plinth.contracts.access import ContentPolicy
from plinth.contracts.runs import RunRecord
from plinth.contracts.traces import RunContents
from plinth.tracing.redaction import redacted

_NOT_FOR_READERS = frozenset({"question_vector"})


def readable_contents(record: RunRecord, kept: Mapping[str, object]) -> RunContents:
    """Return question and contents; masked, or left out, where the run's policy says so."""
    policy = record.request.contents
    if policy is ContentPolicy.NOTHING:
        return RunContents(id=record.id, policy=policy, question=None, contents={})
    found: object = {
        "question": record.request.question,
        "contents": {name: content for name, content in kept.items() if name not in _NOT_FOR_READERS},
    }
    shown = cast("dict[str, object]", redacted(found) if policy is ContentPolicy.REDACTED else found)
    return RunContents(
        id=record.id,
        policy=policy,
        question=str(shown["question"]),
        contents=cast("dict[str, object]", shown["contents"]),
    )
