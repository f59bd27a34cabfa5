"""How a pass is begun without waiting for it: an asynchronous call of the function that makes passes."""

from typing import TYPE_CHECKING

import msgspec

from plinth.adapters.aws_calls import store_errors
from plinth.contracts.syncs import Permission

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaPasses:
    """`Passes` by the function's name."""

    def __init__(self, *, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def begin(self, sync_id: str, *, permission: Permission | None = None) -> None:
        """Hand the call to Lambda's own queue."""
        payload = msgspec.json.encode({"sync": sync_id, "permission": permission})
        with store_errors("Lambda"):
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
