"""Two tenants over real stores: one that asks, and one that comes to have the same names and better passages."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.testclient import TestClient

from plinth.access.authentication import Scope as AccessScope
from plinth.access.keys import ApiKey, make_key
from plinth.adapters.dynamodb_items import to_attributes
from plinth.contracts.access import Tier
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.erasing import Erasure, ErasureState, Extent, Target
from plinth.contracts.events import ReceiptMade, RunEnded
from plinth.contracts.exporting import Export, ExportJob, ExportState, Subject
from plinth.contracts.importing import ImportedFile, ImportRecord, ImportState, SyncedObject
from plinth.contracts.memory import DocumentRecord, DocumentState, DocumentVersion, Passage
from plinth.contracts.money import Budget, Reservation, Scope, ScopeKind
from plinth.contracts.runs import Answer, CachedAnswer, IdempotencyKey, Receipt, Run, RunRequest, RunStatus, Turn
from plinth.contracts.syncs import Sync
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id, object_key
from plinth.memory.prefix_sync import sync_id
from plinth.relay.application import make_relay
from plinth.runtime.exports import begin_export, collect
from plinth.wiring import Services
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeEmbedder
from tests.fakes.objects import FakeMachines
from tests.unit.access.world import World
from tests.unit.api.client import Client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

RUN, ERASURE, NAME, USER = "run_" + "a" * 26, "era_" + "a" * 32, "guide.md", "ann"
EXPORT, REPEATED = "exp_" + "a" * 32, "the same key"
IMPORT = "imp_" + "a" * 24
FILE = ImportedFile(name=NAME, sha256="0" * 64, size_bytes=12, content_type="text/markdown")
_NEW: Any = {"state": ImportState.UPLOADING, "created_at": 0.0}
ANSWER = Answer(text="Because of a secret.", citations=(), stop_reason="end", model="plinth-local")
TIER = Tier(name="pro", models=("plinth-local",), max_output_tokens=100, requests_per_minute=6000, burst=1000)


class Two:
    """The services over real stores, one tenant with something of its own, and another that comes to have something."""

    def __init__(self, dynamodb: "DynamoDBClient", bucket: str, s3: "S3Client") -> None:
        self.asking, self.other = Tenant(id=f"b{uuid4().hex[:9]}"), Tenant(id=f"a{uuid4().hex[:9]}")
        self._dynamodb, self._s3, self._bucket = dynamodb, s3, bucket
        self.limits_left: object = None
        self._held: dict[Tenant, Reservation] = {}
        self.services = Services()
        self.services.clock = self.clock = FakeClock()
        self.services.machines = FakeMachines()
        self.services.embedder = FakeEmbedder()
        key = self._key(self.asking)
        self.client = Client(cast("World", self), key)
        self.relay = TestClient(make_relay(self.services), headers={"authorization": f"Bearer {key.text}"})
        self._key(self.other)
        self.furnish(self.asking, run_id="run_" + "b" * 26, words="peaches are sour", copies=1)

    def _key(self, tenant: Tenant) -> ApiKey:
        key, table = make_key("test"), self.services.settings.tenants_table
        scopes = [str(scope) for scope in AccessScope if scope is not AccessScope.ADMIN]
        tier: Any = {"name": TIER.name, "models": list(TIER.models), "max_output_tokens": 100}
        rows: list[tuple[str, str, dict[str, Any]]] = [
            (f"TENANT#{tenant.id}", "TENANT", {"tier": {**tier, "requests_per_minute": 6000, "burst": 1000}}),
            (
                f"KEY#{key.id}",
                "KEY",
                {"tenant": tenant.id, "user": USER, "secret_sha256": key.secret_sha256, "scopes": scopes},
            ),
        ]
        for pk, sk, item in rows:
            self._dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}, "sk": {"S": sk}, **to_attributes(item)})
        return key

    def version(self, tenant: Tenant, name: str = NAME) -> DocumentVersion:
        return DocumentVersion(
            tenant=tenant,
            document_id=document_id(tenant, name),
            name=name,
            object_key=object_key(tenant, name),
            version_id=None,
            sequence="1".rjust(32, "0"),
            size_bytes=1,
            attempt=1,
        )

    def furnish(self, tenant: Tenant, *, run_id: str, words: str, copies: int) -> None:
        """Give a tenant something in every store: the same names as the other's wherever names are a caller's own."""
        services, settings, now = self.services, self.services.settings, self.clock.now()
        run = Run(id=run_id, tenant=tenant, epoch=1, deadline=now + 270)
        again = IdempotencyKey(key=f"{USER}#{REPEATED}", body_sha256="0" * 64) if tenant == self.other else None
        services.runs.accept(run, RunRequest(question="why?", model="plinth-local", user=USER), again)
        services.runs.put_content(run, "answer", ANSWER)
        ended = RunEnded(status=RunStatus.DONE, text_length=1)
        services.run_log.append(run, [ReceiptMade(receipt=Receipt(model_calls=(), model_cost_micro_usd=7)), ended])
        services.limits.admit(run, TIER, tokens=0, holds=False)
        self._held[tenant] = services.ledger.reserve(
            Reservation(run=run, attempt=1, amount_micro_usd=5, model="m", price="{}"), [self.budget(tenant)]
        )
        services.conversations.append(run, USER, "talk", Turn(question="why?", answer=words, at=now))
        self._summed_up(tenant, run, words)
        services.facts.keep(run, USER, words)
        if tenant == self.other:
            services.conversations.append(run, USER, "theirs", Turn(question="why?", answer=words, at=now + 1))
            services.facts.keep(run, USER, "only theirs")
        services.answers.put(tenant, "key", CachedAnswer(answer=ANSWER, cost_micro_usd=1, saved_at=now))
        version = self.version(tenant)
        record = DocumentRecord(
            document_id=version.document_id, name=NAME, state=DocumentState.AWAITING_UPLOAD, updated_at=now
        )
        services.documents.announce(tenant, record)
        services.work.put(version, "text", words.encode())
        services.imports.prepare(tenant, ImportRecord(import_id=self._import_of(tenant), files=1, unchanged=0, **_NEW))
        services.staged_files.put_manifest(tenant, self._import_of(tenant), [FILE])
        waiting = urlsplit(services.staged_files.upload(tenant, FILE).url).path.split("/", 2)[2]
        self._s3.put_object(Bucket=settings.work_bucket, Key=waiting, Body=words.encode())
        sync = services.syncs.save(self.sync_of(tenant))
        source = SyncedObject(sync_id=sync.id, bucket="team", key=NAME, etag="e", fingerprint="f")
        services.syncs.bring(tenant, version.document_id, source)
        self._s3.put_object(Bucket=self._bucket, Key=version.object_key, Body=words.encode())
        (vector,) = services.embedder.embed([words])
        memory = services.memory.named(services.documents.corpus(tenant).indexes.live)
        memory.index(version, words, [(Passage(position=n, text=words), vector) for n in range(copies)])
        target = Target(extent=Extent.USER, tenant=tenant, name="gone")
        self._export_of(tenant, now)
        services.erasing.erasures.begin(
            Erasure(
                id=ERASURE if tenant == self.other else "era_" + "b" * 32,
                target=target,
                state=ErasureState.RUNNING,
                subject_sha256="x",
                clean_from=now,
            )
        )

    def _summed_up(self, tenant: Tenant, run: Run, words: str) -> None:
        conversations, at = self.services.conversations, self.clock.now()
        (turn,) = conversations.recent(tenant, USER, "talk", limit=1)
        summary = ModelSummary(
            text=words,
            model="m",
            turns=1,
            from_at=at,
            until_at=at,
            cost_micro_usd=1,
            expires_at=run.expires_at,
            by=run.id,
            covers=(run.id,),
            documents=(self.version(tenant).document_id,),
        )
        conversations.keep_summary(tenant, USER, "talk", summary, made_of=[turn])

    def _export_of(self, tenant: Tenant, now: float) -> None:
        export = Export(
            id=EXPORT if tenant == self.other else "exp_" + "b" * 32,
            subject=Subject(tenant=tenant),
            state=ExportState.DONE,
            began_at=now,
            expires_at=int(now) + 1000,
        )
        self.services.exporting.jobs.begin(export)
        self.services.exporting.files.put(export, "manifest.json", b"{}")

    def exported(self, subject: Subject) -> dict[str, bytes]:
        """Go through the steps of an export; return its files by path."""
        services = self.services
        self.end_erasures(subject.tenant)
        export = begin_export(subject, services)
        while not collect(ExportJob(id=export.id, tenant=subject.tenant), services):
            pass
        prefix = f"tenants/{subject.tenant.id}/exports/{export.id}/files/"
        bucket = services.settings.exports_bucket
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        keys = [each.get("Key", "") for each in listed]
        bodies = {key: self._s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        return {key.removeprefix(prefix): body for key, body in bodies.items()}

    def end_erasures(self, tenant: Tenant) -> None:
        """Show the tenant's users again, whom somebody asked to erase."""
        key: Any = {"pk": {"S": f"TENANT#{tenant.id}"}, "sk": {"S": "TENANT"}}
        table = self.services.settings.tenants_table
        self._dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE erasing_users")

    def sync_of(self, tenant: Tenant) -> Sync:
        return Sync(
            id=sync_id(tenant, "team", ""), tenant=tenant, bucket="team", prefix="", every_seconds=300, due_at=0.0
        )

    def settle(self, tenant: Tenant) -> None:
        """Give back what is set aside for a tenant's run, as its end or the sweep does."""
        self.services.ledger.release(self._held.pop(tenant))

    def _import_of(self, tenant: Tenant) -> str:
        return IMPORT if tenant == self.other else "imp_" + "b" * 24

    def budget(self, tenant: Tenant) -> Budget:
        return Budget(scope=Scope(tenant=tenant, kind=ScopeKind.USER, name=USER), revision=1, day_micro_usd=1_000_000)

    def as_other(self, version: DocumentVersion) -> DocumentVersion:
        """Return the other's document as the asking tenant would have to name it."""
        return replace(version, tenant=self.asking)
