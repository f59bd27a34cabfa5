"""How an operator starts, watches and cancels a reindex: by its row in the table of documents, and its machine."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from client.errors import UsageError
from plinth.contracts.reindexing import MAY_BE_CANCELLED, OVER, Reindex, ReindexState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_stepfunctions import SFNClient

_TRIES = 10
_KEY: "dict[str, AttributeValueTypeDef]" = {"pk": {"S": "#INDEXES"}, "sk": {"S": "REINDEX"}}


class Reindexing:
    """The reindexes of one environment: one at a time."""

    def __init__(self, dynamodb: "DynamoDBClient", machines: "SFNClient", *, table: str, machine: str) -> None:
        self._dynamodb = dynamodb
        self._machines = machines
        self._table = table
        self._machine = machine

    def current(self) -> Reindex | None:
        """Return the reindex that goes on, or the last one."""
        found = self._dynamodb.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True).get("Item")
        values = {name: _value(attribute) for name, attribute in (found or {}).items()}
        return msgspec.convert(values, Reindex) if values else None

    def is_running(self) -> bool:
        """Tell whether the machine is at work."""
        found = self._machines.list_executions(stateMachineArn=self._machine, statusFilter="RUNNING", maxResults=1)
        return bool(found["executions"])

    def start(self, *, reread: bool) -> str:
        """Begin a reindex, or take up again one that stopped; return its id."""
        if self.is_running():
            raise UsageError("a reindex goes on: `plinth reindex status` shows it")
        last = self.current()
        if last is not None and last.state not in OVER:
            return self._run(last.id, reread=last.reread)
        return self._run(f"r{time.time_ns() // 1_000_000}", reread=reread)

    def cancel(self) -> Reindex:
        """Go back to the old index; `UsageError` where there is nothing to go back from, or no way."""
        for _ in range(_TRIES):  # the machine notes its progress in the same row
            last = self.current()
            if last is None or last.state in OVER:
                raise UsageError("no reindex goes on")
            if last.state not in {*MAY_BE_CANCELLED, ReindexState.CANCELLING}:
                raise UsageError(f"the old index of {last.id} goes already: start another reindex instead")
            if last.state is ReindexState.CANCELLING or self._mark_cancelling(last):
                if not self.is_running():
                    self._run(last.id, reread=last.reread)
                return last
        raise UsageError("the reindex went on just now: try again")

    def _mark_cancelling(self, last: Reindex) -> bool:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="SET #state = :state, revision = :next",
                ConditionExpression="revision = :revision",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":state": {"S": ReindexState.CANCELLING},
                    ":revision": {"N": str(last.revision)},
                    ":next": {"N": str(last.revision + 1)},
                },
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _run(self, reindex_id: str, *, reread: bool) -> str:
        asked = msgspec.json.encode({"reindex_id": reindex_id, "reread": reread}).decode()
        name = f"{reindex_id}-{time.time_ns() // 1_000_000}"
        self._machines.start_execution(stateMachineArn=self._machine, name=name, input=asked)
        return reindex_id


def told(reindex: Reindex, *, is_running: bool) -> str:
    """Return where a reindex stands, in a sentence."""
    done, target = reindex.documents - reindex.left, reindex.target
    sentence = {
        ReindexState.FILLING: f"{target} is filled: it lacks {reindex.left} of {reindex.documents} documents "
        f"(round {reindex.round}, {done} done before it); searches read {reindex.source}",
        ReindexState.SWITCHING: f"searches are led to {target}",
        ReindexState.SWITCHED: f"searches read {target}; {reindex.source} is kept for a while, and `cancel` goes back",
        ReindexState.CANCELLING: f"searches go back to {reindex.source}",
        ReindexState.RELEASING: f"searches read {target}; {', '.join(reindex.leaving)} goes",
        ReindexState.RELEASED: f"{', '.join(reindex.leaving)} goes once nothing reads it any more",
        ReindexState.DONE: f"searches read {target}",
        ReindexState.CANCELLED: f"{target} was removed again",
    }[reindex.state]
    stopped = "" if is_running or reindex.state in OVER else "; it stopped: `plinth reindex start` takes it up again"
    return f"{reindex.state}: {sentence}{stopped} [{reindex.id}]"


def _value(attribute: Mapping[str, Any]) -> object:
    ((kind, value),) = attribute.items()
    if kind == "N":
        return float(str(value)) if set(str(value)) & set(".eE") else int(str(value))
    if kind == "L":
        return [_value(each) for each in value]
    member: object = value
    return member
