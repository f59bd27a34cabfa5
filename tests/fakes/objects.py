"""Objects, queued letters and started executions in memory."""

from collections.abc import Iterator

from plinth.contracts.erasing import Erasure
from plinth.contracts.exporting import ExportJob
from plinth.contracts.importing import Batch
from plinth.contracts.memory import CurrentObject, DocumentRecord, DocumentVersion, SourceObject, Upload, UploadContent
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import DocumentRefusedError, StoreUnavailableError


class FakeSources:
    """`SourceObjects`: a test puts bytes with `put`; `deleted` lists the deleted keys."""

    def __init__(self, max_bytes: int = 50 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._objects: dict[str, list[tuple[str, SourceObject]]] = {}
        self.deleted: list[str] = []
        self.modified_at = 0.0

    def put(
        self, tenant: Tenant, name: str, body: bytes, content_type: str, *, tags: dict[str, str] | None = None
    ) -> str:
        """Store a new version and return its id."""
        versions = self._objects.setdefault(f"{tenant.id}/{name}", [])
        versions.append((f"v{len(versions) + 1}", SourceObject(body=body, content_type=content_type, tags=tags or {})))
        return versions[-1][0]

    def upload(self, tenant: Tenant, name: str, content: UploadContent) -> Upload:
        url = f"https://uploads.invalid/{tenant.id}/{name}?type={content.content_type}&size={content.size_bytes}"
        signed = {f"x-amz-meta-{name}": value for name, value in content.metadata.items()}
        headers = {"content-type": content.content_type, **signed}
        return Upload(url=url, method="PUT", headers=headers, expires_in_seconds=300)

    def fetch(self, document: DocumentVersion) -> SourceObject:
        versions = self._objects.get(document.object_key, [])
        wanted = document.version_id or (versions[-1][0] if versions else None)
        found = next((source for version_id, source in versions if version_id == wanted), None)
        if found is None:
            raise DocumentRefusedError("source_gone", "the file was deleted before it was read")
        if len(found.body) > self._max_bytes:
            raise DocumentRefusedError("too_large", f"upload at most {self._max_bytes} bytes")
        return found

    def current(self, tenant: Tenant) -> Iterator[CurrentObject]:
        for key, versions in sorted(self._objects.items()):
            owner, _, name = key.partition("/")
            if owner == tenant.id and not name.endswith("/"):
                version_id, source = versions[-1]
                yield CurrentObject(
                    name=name, version_id=version_id, size_bytes=len(source.body), modified_at=self.modified_at
                )

    def delete(self, tenant: Tenant, name: str) -> None:
        self._objects.pop(f"{tenant.id}/{name}", None)
        self.deleted.append(f"{tenant.id}/{name}")


class FakeWork:
    """`WorkObjects` in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[tuple[Tenant, str, str, str], bytes] = {}

    def put(self, document: DocumentVersion, name: str, body: bytes) -> None:
        self._objects[document.tenant, document.document_id, document.generation, name] = body

    def find(self, document: DocumentVersion, name: str) -> bytes | None:
        return self._objects.get((document.tenant, document.document_id, document.generation, name))

    def get(self, document: DocumentVersion, name: str) -> bytes:
        body = self.find(document, name)
        if body is None:
            raise StoreUnavailableError(f"no {name} of this version")
        return body


class FakeDeadLetters:
    """`DeadLetters`: `sent` lists the documents with their refusals."""

    def __init__(self) -> None:
        self.sent: list[tuple[DocumentVersion, DocumentRecord]] = []

    def send(self, document: DocumentVersion, refusal: DocumentRecord) -> None:
        self.sent.append((document, refusal))


class FakeMachines:
    """`Machines`: what was started, by kind; a second start of the same thing is dropped."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], Run] = {}
        self.again: list[int] = []
        self.ingests: dict[tuple[str, str], DocumentVersion] = {}
        self.erasures: dict[tuple[str, str], DocumentVersion] = {}
        self.forgets: list[Erasure] = []
        self.exports: dict[str, ExportJob] = {}
        self.imports: dict[tuple[str, int], tuple[Batch, str, int]] = {}

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        self.answers.setdefault((run.id, run.epoch), run)
        self.again += [again] if again else []

    def start_ingest(self, document: DocumentVersion) -> None:
        self.ingests.setdefault((document.document_id, document.generation), document)

    def start_import(self, batch: Batch, *, manifest: str, tolerated: int) -> None:
        self.imports.setdefault((batch.import_id, batch.attempt), (batch, manifest, tolerated))

    def start_erase(self, document: DocumentVersion) -> None:
        self.erasures.setdefault((document.document_id, document.sequence), document)

    def start_forget(self, erasure: Erasure) -> None:
        self.forgets.append(erasure)

    def start_export(self, job: ExportJob) -> None:
        self.exports.setdefault(job.id, job)


class FakeExports:
    """`Exports` in a dict."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.files[key] = body
