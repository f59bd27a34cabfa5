"""What a run asks a person before it acts, and what was decided."""

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What became of a question: the person said so, nobody did in time, or the run was cancelled."""

    APPROVE = "approve"
    DENY = "deny"
    EXPIRE = "expire"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A tool call that a person must approve, and the decision once there is one. Times are Unix seconds.

    `call` names it within its run: the model's turn, and the number of the call in that turn's reply. `arguments` is
    the JSON of what the tool would be given; it is empty once the run asks for other calls. `arguments_sha256` is the
    hash of the tool's name and its arguments. `user` and `key_id` say who decided.
    """

    call: str
    tool: str
    arguments: str
    arguments_sha256: str
    expires_at: float
    decision: Decision | None = None
    decided_at: float | None = None
    user: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a person says of a call, whose arguments it has seen, with which key."""

    call: str
    arguments_sha256: str
    decision: Decision
    user: str
    key_id: str
