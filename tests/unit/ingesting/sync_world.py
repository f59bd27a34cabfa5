"""A source, a sync of it, and the bucket of documents: every effect may fail, or be met by something else."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from plinth.adapters.dynamo_syncs import INTENDED_SECONDS
from plinth.contracts.importing import Batch, ImportedFile, ImportState, NoteOutcomeInput, PlaceDocumentInput
from plinth.contracts.memory import Content, DocumentVersion
from plinth.contracts.syncs import Permission, Sync
from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError, StoreUnavailableError
from plinth.memory.naming import document_id, object_key, sequence
from plinth.memory.prefix_sync import sync_id
from plinth.memory.tagging import OWN_MARK
from plinth.runtime import imports
from plinth.runtime.prefix_sync import make_pass
from plinth.wiring import Services
from tests.fakes.clock import FakeClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.imports import FakeImports, FakeStagedFiles
from tests.fakes.inferences import FakeCallbacks
from tests.fakes.objects import FakeMachines
from tests.fakes.syncs import FakeSyncedObjects, FakeSyncs
from tests.fakes.tenants import FakeTenants
from tests.unit.access.world import TIER

TENANT, BUCKET, PREFIX = Tenant(id="acme"), "team", "docs/"


class Troubled:
    """A port whose every call is an effect of the world."""

    def __init__(self, world: "SyncWorld", port: object) -> None:
        self._world, self._port = world, port

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        return (lambda *given, **named: self._world.effect(lambda: call(*given, **named))) if callable(call) else call


class SyncWorld:
    """Files of an import are placed and noted one by one, in any order, as often as the machine likes."""

    def __init__(self, objects: Callable[[], FakeSyncedObjects] = FakeSyncedObjects) -> None:
        self.clock, self.objects = FakeClock(), objects()
        self.syncs = FakeSyncs(self.clock)
        self.staged, self.machines, self.documents = FakeStagedFiles(), FakeMachines(), FakeDocuments(self.clock)
        self.imports = FakeImports(self.clock)
        self.objects.buckets[BUCKET] = {}
        self.objects.on_change = lambda _, name: self.announce(name)
        self.services = services = Services()
        services.clock = self.clock
        services.tenants = tenants = FakeTenants()
        tenants.tiers[TENANT] = TIER
        services.settings.__dict__["sync_buckets"] = (BUCKET,)
        for name, port in {
            "syncs": self.syncs,
            "synced_objects": self.objects,
            "sources": self.objects,
            "staged_files": self.staged,
            "machines": self.machines,
            "documents": self.documents,
            "imports": self.imports,
            "callbacks": FakeCallbacks(),
        }.items():
            services.__dict__[name] = Troubled(self, port)
        made = Sync(
            id=sync_id(TENANT, BUCKET, PREFIX),
            tenant=TENANT,
            bucket=BUCKET,
            prefix=PREFIX,
            every_seconds=3600,
            due_at=0,
        )
        self.sync = self.syncs.save(made)
        self.events: list[tuple[str, int, bool]] = []
        self.theirs: dict[str, bytes] = {}
        self.effects, self.fault, self.meeting = 0, (-1, False), (-1, print)
        self.at_work: list[tuple[Batch, list[ImportedFile]]] = []

    def effect(self, call: Callable[[], Any]) -> Any:
        """Make the call, unless it is the one that fails: before it, or after it so that its answer is lost."""
        self.effects += 1
        number = self.effects
        if number == self.meeting[0]:
            self.meeting[1]()
        at, done = self.fault
        if number == at and not done:
            raise StoreUnavailableError("lost before")
        answer = call()
        if number == at:
            raise StoreUnavailableError("lost after")
        return answer

    def announce(self, name: str) -> None:
        """Let the bucket make an event of what has just become of an object."""
        self.events.append((name, len(self.events) + 1, (TENANT, name) in self.objects.documents))

    def arrive(self, number: int) -> None:
        """Let an event arrive: the version is ingested, or the document deleted."""
        name, order, is_there = self.events[number % len(self.events)]
        version = DocumentVersion(
            tenant=TENANT,
            document_id=document_id(TENANT, name),
            name=name,
            object_key=object_key(TENANT, name),
            version_id=None,
            sequence=sequence(f"{order:X}"),
            size_bytes=1,
        )
        if not is_there:
            self.documents.close(version)
            return
        attempt = self.documents.begin(version, execution=version.sequence)
        if attempt:
            self.documents.publish(replace(version, attempt=attempt), Content(title="T", passages=1))

    def make_pass(self, *, allow_deletes: bool = False) -> None:
        """Make a pass; what fails is told in a log."""
        with suppress(StoreUnavailableError):
            permission = Permission(asked_at=self.clock.now(), deletions=1_000) if allow_deletes else None
            make_pass(self.sync, self.services, permission=permission)
        for batch, _, _ in self.machines.imports.values():
            self.at_work.append((batch, self.staged.manifest(TENANT, batch.import_id)))
        self.machines.imports.clear()

    def place(self, number: int, *, twice: bool = False) -> None:
        """Place a file of the import at work; a retried state places it twice, the last outcome closes the import."""
        batch, files = self.at_work[0]
        file = files[number % len(files)] if twice else files.pop(number % len(files))
        try:
            imports.place(PlaceDocumentInput(batch=batch, file=file, task_token="t"), self.services)
            error = ""
        except PlinthError as failed:
            error = type(failed).__name__
        if twice:
            return
        with suppress(PlinthError):
            noted = NoteOutcomeInput(batch=batch, file=file, error=error, cause="{}")
            imports.outcome(noted, self.services)
        if not files:
            self.imports.close(batch, ImportState.DONE)
            self.at_work.pop(0)

    def upload(self, name: str, body: bytes) -> None:
        """Let somebody else upload a document."""
        self.objects.documents[TENANT, name] = body, {}
        self.theirs[name] = body
        self.announce(name)

    def rest(self) -> None:
        """Let everything end that was begun, then sync undisturbed; documents must equal the source."""
        self.fault, self.meeting = (-1, False), (-1, print)
        while self.at_work:
            self.place(0)
        for _ in range(4):
            self.clock.advance(INTENDED_SECONDS / 5)
            self.make_pass(allow_deletes=True)
            while self.at_work:
                self.place(0)
            for number in range(len(self.events)):
                self.arrive(number)
        held = {name: (body, marks.get(OWN_MARK)) for (_, name), (body, marks) in self.objects.documents.items()}
        source = {f"{BUCKET}/{key}": body for key, (body, _) in self.objects.buckets[BUCKET].items()}
        theirs = {name: body for name, (body, owner) in held.items() if owner is None}
        ours = {name: body for name, (body, owner) in held.items() if owner == self.sync.id}
        assert theirs == self.theirs
        assert ours == {name: body for name, body in source.items() if name not in theirs}
        live = self.documents.live_generations(TENANT, [document_id(TENANT, name) for name, _, _ in self.events])
        newest = {name: sequence(f"{order:X}") for name, order, _ in self.events}
        assert {each: made.partition(".")[0] for each, made in live.items()} == {
            document_id(TENANT, name): newest[name] for name in held
        }
