"""How a state that waits for its task token is woken, and when nobody waits any more."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# The state has ended: by its time-out, by an earlier telling, or with its execution.
_NOBODY_WAITS = frozenset({"TaskDoesNotExist", "TaskTimedOut"})


class StepFunctionsCallbacks:
    """`Callbacks` of Step Functions, which takes the first telling of a token and no other."""

    def __init__(self, *, client: "SFNClient") -> None:
        self._client = client

    def succeed(self, task_token: str, output: Mapping[str, object]) -> bool:
        """Give the state its output."""
        text = msgspec.json.encode(output).decode()
        return _told(lambda: self._client.send_task_success(taskToken=task_token, output=text))

    def fail(self, task_token: str, *, error: str, cause: str) -> bool:
        """Fail the state with an error name that its Catch knows."""
        return _told(lambda: self._client.send_task_failure(taskToken=task_token, error=error, cause=cause))


def _told(tell: Callable[[], object]) -> bool:
    with store_errors("Step Functions"):
        try:
            tell()
        except ClientError as error:
            if error_code(error) not in _NOBODY_WAITS:
                raise
            return False
    return True
