"""Who waits for which inference: one item per inference, which outlives the longest wait and then expires."""

import msgspec

from plinth.adapters.dynamodb_items import row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Table, Update
from plinth.contracts.inferring import InferenceOutcome, PendingInference
from plinth.errors import StoreUnavailableError
from plinth.ports.clock import Clock

_KEEP_SECONDS = 86_400

_FAILED = ""  # in place of an output location


class _PendingRow(msgspec.Struct):
    task_token: str
    queued: bool = False
    output: str | None = None

    @property
    def pending(self) -> PendingInference:
        outcome = None if self.output is None else InferenceOutcome(output_location=self.output or None)
        return PendingInference(task_token=self.task_token, queued=self.queued, outcome=outcome)


class DynamoPendingInferences:
    """`PendingInferences` in one table. Each write is followed by a consistent read, so that no end is missed."""

    def __init__(self, *, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def begin(self, inference_id: str, *, task_token: str) -> PendingInference:
        """Put the token in place of an earlier try's; what is known of the inference stays."""
        expires_at = int(self._clock.now()) + _KEEP_SECONDS
        self._table.write(
            Update(
                key=_key(inference_id),
                change="SET #task_token = :token, #expires_at = :expires",
                values={":token": task_token, ":expires": expires_at},
            )
        )
        return self._read(inference_id)

    def mark_queued(self, inference_id: str) -> None:
        """Note that the endpoint has taken the request."""
        self._table.write(Update(key=_key(inference_id), change="SET #queued = :yes", values={":yes": True}))

    def end(self, inference_id: str, outcome: InferenceOutcome) -> PendingInference | None:
        """Keep the first outcome."""
        ended = Update(
            key=_key(inference_id),
            change="SET #output = if_not_exists(#output, :output)",
            condition="attribute_exists(pk)",
            values={":output": outcome.output_location or _FAILED},
        )
        try:
            self._table.write(ended)
        except ConditionFailedError:
            return None
        return self._read(inference_id)

    def _read(self, inference_id: str) -> PendingInference:
        found = self._table.get(_key(inference_id))
        if found is None:
            raise StoreUnavailableError("an inference that was just written is not there: try again later")
        return row(found, _PendingRow).pending


def _key(inference_id: str) -> Key:
    return f"INFERENCE#{inference_id}", "PENDING"
