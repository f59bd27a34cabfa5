"""An asynchronous endpoint, who waits for it, and the states that wait, in memory."""

from collections.abc import Mapping
from dataclasses import replace

from plinth.contracts.inferring import InferenceOutcome, PendingInference
from plinth.contracts.tenant import Tenant


class FakeInferences:
    """`Inferences`: `queued` has what was asked for; a queue that was `broken_by` an error raises it."""

    def __init__(self) -> None:
        self.queued: list[tuple[str, Tenant, bytes]] = []
        self.broken_by: Exception | None = None

    def start(self, inference_id: str, tenant: Tenant, body: bytes) -> None:
        if self.broken_by:
            raise self.broken_by
        self.queued.append((inference_id, tenant, body))


class FakePendingInferences:
    """`PendingInferences` in a dict."""

    def __init__(self) -> None:
        self._kept: dict[str, PendingInference] = {}

    def begin(self, inference_id: str, *, task_token: str) -> PendingInference:
        known = self._kept.get(inference_id) or PendingInference(task_token=task_token)
        self._kept[inference_id] = replace(known, task_token=task_token)
        return self._kept[inference_id]

    def mark_queued(self, inference_id: str) -> None:
        self._kept[inference_id] = replace(self._kept[inference_id], queued=True)

    def end(self, inference_id: str, outcome: InferenceOutcome) -> PendingInference | None:
        known = self._kept.get(inference_id)
        if known is None:
            return None
        self._kept[inference_id] = replace(known, outcome=known.outcome or outcome)
        return self._kept[inference_id]


class FakeCallbacks:
    """`Callbacks` that takes the first telling of each token, as Step Functions does; `told` has what was taken."""

    def __init__(self) -> None:
        self.told: dict[str, object] = {}
        self.gone: set[str] = set()

    def succeed(self, task_token: str, output: Mapping[str, object]) -> bool:
        return self._tell(task_token, output)

    def fail(self, task_token: str, *, error: str, cause: str) -> bool:
        assert cause
        return self._tell(task_token, error)

    def _tell(self, task_token: str, what: object) -> bool:
        if task_token in self.told or task_token in self.gone:
            return False
        self.told[task_token] = what
        return True
