"""A small world for the tests of what faces callers: two tenants, their keys, and every port in memory."""

from plinth.access.keys import ApiKey, make_key
from plinth.contracts.access import KeyRecord, Tier
from plinth.contracts.events import RunEnded
from plinth.contracts.runs import Answer, Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.settings import Settings
from plinth.wiring import Services
from tests.fakes.answers import FakeAnswers
from tests.fakes.approvals import FakeApprovals
from tests.fakes.clock import FakeClock
from tests.fakes.conversations import FakeConversations
from tests.fakes.documents import FakeDocuments
from tests.fakes.erasing import FakeErasures
from tests.fakes.exporting import FakeExportFiles, FakeExportJobs
from tests.fakes.facts import FakeFacts
from tests.fakes.imports import FakeImports, FakeStagedFiles
from tests.fakes.limits import FakeLimits
from tests.fakes.objects import FakeMachines, FakeSources
from tests.fakes.runs import FakeExecutions, FakeRunLog, FakeRuns
from tests.fakes.syncs import FakePasses, FakeSyncs
from tests.fakes.tenants import FakeTenants
from tests.fakes.usage import FakeUsage

ALICE, BOB = Tenant(id="alice"), Tenant(id="bob")
ALL_SCOPES = ("runs:read", "runs:write", "documents:read", "documents:write", "usage:read")
TIER = Tier(
    name="basic",
    models=("plinth-local", "claude-haiku-5-5"),
    max_output_tokens=500,
    requests_per_minute=60,
    burst=3,
    tokens_per_minute=100_000,
    concurrent_runs=10,
)
ANSWER = Answer(text="Forty-two [1].", citations=(), stop_reason="end", model="plinth-local")


class FixedSettings(Settings):
    """The settings of an environment called test."""

    environment = "test"
    default_model = "plinth-local"
    documents_bucket = "documents"
    erase_settle_seconds = 300.0


class World:
    """Services in memory, and the fakes behind them under the names of the ports."""

    def __init__(self) -> None:
        self.services = Services()
        self.services.settings = FixedSettings()
        self.services.clock = self.clock = FakeClock()
        self.services.tenants = self.tenants = FakeTenants()
        self.erasures = self.services.erasing.erasures = FakeErasures(self.tenants)
        self.export_jobs = self.services.exporting.jobs = FakeExportJobs(self.clock)
        self.export_files = self.services.exporting.files = FakeExportFiles()
        self.services.limits = self.limits = FakeLimits(self.clock)
        self.services.runs = self.runs = FakeRuns(self.clock)
        self.services.executions = self.executions = FakeExecutions(self.runs)
        self.services.approvals = FakeApprovals(self.runs)
        self.services.run_log = self.log = FakeRunLog(self.runs)
        self.services.usage = FakeUsage(self.runs)
        self.services.conversations = self.conversations = FakeConversations(self.clock)
        self.services.facts = self.facts = FakeFacts(self.clock)
        self.services.answers = self.answers = FakeAnswers(self.clock)
        self.services.documents = self.documents = FakeDocuments(self.clock)
        self.services.sources = self.sources = FakeSources()
        self.services.imports = self.imports = FakeImports(self.clock)
        self.services.staged_files = self.staged_files = FakeStagedFiles()
        self.services.syncs = self.syncs = FakeSyncs(self.clock)
        self.services.passes = self.passes = FakePasses()
        self.services.machines = self.machines = FakeMachines()

    def issue(
        self,
        tenant: Tenant = ALICE,
        *,
        scopes: tuple[str, ...] = ALL_SCOPES,
        expires_at: float | None = None,
        labels: tuple[str, ...] = (),
        user: str = "someone",
    ) -> ApiKey:
        """Make a key that is in force."""
        key = make_key("test")
        self.tenants.tiers.setdefault(tenant, TIER)
        self.tenants.keys[key.id] = KeyRecord(
            tenant=tenant,
            user=user,
            secret_sha256=key.secret_sha256,
            scopes=scopes,
            expires_at=expires_at,
            labels=labels,
        )
        return key

    def accepted_run(self, tenant: Tenant = ALICE, *, labels: tuple[str, ...] = ()) -> Run:
        """Write down a run as the API would."""
        run = Run(id=f"run_{len(self.runs.rows):026d}", tenant=tenant, epoch=1, deadline=self.clock.now() + 270)
        self.runs.accept(run, RunRequest(question="Why?", model="plinth-local", user="someone", labels=labels), None)
        return run

    def end(self, run: Run) -> None:
        """Give the run its answer and end it."""
        self.runs.put_content(run, "answer", ANSWER)
        FakeRunLog(self.runs).append(run, [RunEnded(status=RunStatus.DONE)])
