"""The services of a whole chain, in memory, and how a test calls a step as Step Functions would."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from plinth.contracts.runs import Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.ports.models import LanguageModel
from plinth.runtime import step
from plinth.wiring import Services
from tests.fakes.answers import FakeAnswers
from tests.fakes.approvals import FakeApprovals
from tests.fakes.breakers import FakeBreakers
from tests.fakes.clock import FakeClock
from tests.fakes.conversations import FakeConversations
from tests.fakes.documents import FakeDocuments
from tests.fakes.facts import FakeFacts
from tests.fakes.imports import FakeImports, FakeStagedFiles
from tests.fakes.inferences import FakeCallbacks
from tests.fakes.limits import FakeLimits
from tests.fakes.memory import FakeMemory
from tests.fakes.models import FakeEmbedder, FakeModel, FakeTokenCounter
from tests.fakes.objects import FakeDeadLetters, FakeMachines, FakeSources, FakeWork
from tests.fakes.runs import FakeExecutions, FakeRunLog, FakeRuns
from tests.fakes.syncs import FakePasses, FakeSyncedObjects, FakeSyncs
from tests.fakes.tenants import FakeTenants
from tests.fakes.usage import FakeUsage
from tests.unit.access.world import TIER

TENANT = Tenant(id="acme")
CONTEXT = SimpleNamespace(
    aws_request_id="request-1", memory_limit_in_mb=256, get_remaining_time_in_millis=lambda: 10_000
)


class ChainServices(Services):
    """`Services` of fakes; `model` answers for every provider but those of `models`, and `time` is the clock."""

    model: FakeModel
    models: Mapping[str, LanguageModel] = {}
    time: FakeClock

    def language_model(self, provider: str) -> LanguageModel:
        return self.models.get(provider) or self.model


@pytest.fixture
def services() -> ChainServices:
    made = ChainServices()
    clock = FakeClock()
    made.clock = made.time = clock
    made.runs = FakeRuns(clock)
    made.executions = FakeExecutions(made.runs)
    made.approvals = FakeApprovals(made.runs)
    made.run_log = made.side_log = FakeRunLog(made.runs)
    made.usage = FakeUsage(made.runs)
    made.breakers = FakeBreakers(clock)
    made.conversations = FakeConversations(clock)
    made.facts = FakeFacts(clock)
    made.answers = FakeAnswers(clock)
    made.documents = FakeDocuments(clock)
    made.limits = FakeLimits(clock)
    made.tenants = FakeTenants()
    made.tenants.tiers[TENANT] = TIER
    made.memory = FakeMemory()
    made.embedder = FakeEmbedder()
    made.token_counter = FakeTokenCounter()
    made.sources = FakeSources()
    made.work = FakeWork()
    made.imports = FakeImports(clock)
    made.staged_files = FakeStagedFiles()
    made.syncs = FakeSyncs(clock)
    made.synced_objects = FakeSyncedObjects()
    made.passes = FakePasses()
    made.callbacks = FakeCallbacks()
    made.machines = FakeMachines()
    made.dead_letters = FakeDeadLetters()
    return made


@pytest.fixture
def call(services: ChainServices) -> Callable[..., dict[str, Any]]:
    """Call a step with JSON in, and return its result as JSON."""

    def call_step(function: Callable[..., Any], **event: Any) -> dict[str, Any]:
        handler = step(function, services=services)
        answer = handler(msgspec.to_builtins(event), CONTEXT)
        result: dict[str, Any] = answer["result"]
        return result

    return call_step


@pytest.fixture
def accept(services: ChainServices) -> Callable[..., Run]:
    """Accept a run as the API does, and return it."""

    def accept_run(question: str, *, run_id: str = "run_1", seconds: float = 270, **asked_for: Any) -> Run:
        run = Run(id=run_id, tenant=TENANT, epoch=1, deadline=services.clock.now() + seconds)
        asked = RunRequest(question=question, user="ann", **{"model": "claude-haiku-5-5", **asked_for})
        services.runs.accept(run, asked, None)
        return run

    return accept_run
