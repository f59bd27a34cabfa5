"""The rows of documents in memory, under the rules of every store."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from threading import RLock

from plinth.contracts.indexes import Corpus, TenantIndexes
from plinth.contracts.memory import (
    Content,
    DocumentRecord,
    DocumentState,
    DocumentVersion,
    KnownDocument,
    LiveDocument,
)
from plinth.contracts.runs import Failure
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError, StoreUnavailableError
from plinth.memory import document_row
from plinth.memory.document_row import Change, DocumentRow
from plinth.memory.naming import object_key
from plinth.ports.clock import Clock
from tests.fakes.memory import FIRST_INDEX


class FakeDocuments:
    """`Documents` under a lock; `rules` may be replaced, and `rows` looked into."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._versions: Counter[Tenant] = Counter()
        self.rows: dict[tuple[Tenant, str], DocumentRow] = {}
        self.indexes: dict[Tenant, TenantIndexes] = {}
        self.first = TenantIndexes(live=FIRST_INDEX)
        self.rules = document_row

    def announce(self, tenant: Tenant, record: DocumentRecord) -> None:
        self._change(tenant, record.document_id, partial(self.rules.announced, record=record))

    def begin(self, document: DocumentVersion, *, execution: str, reread_for: str = "") -> int | None:
        rule = partial(
            self.rules.begun, document=document, execution=execution, now=self._clock.now(), reread_for=reread_for
        )
        changed = self._change(document.tenant, document.document_id, rule)
        return changed.attempt if changed else None

    def refuse(self, document: DocumentVersion, failure: Failure, *, execution: str) -> DocumentRecord | None:
        now = self._clock.now()
        rule = partial(self.rules.refused, document=document, failure=failure, execution=execution, now=now)
        changed = self._change(document.tenant, document.document_id, rule)
        return self.rules.record_of(changed) if changed and changed.state is DocumentState.REFUSED else None

    def publish(self, document: DocumentVersion, content: Content) -> int | None:
        with self._lock:
            held = content.indexes or self.corpus(document.tenant).indexes
            content = replace(content, indexes=held)
            rule = partial(self.rules.published, document=document, content=content, now=self._clock.now())
            change = rule(self._row(document.tenant, document.document_id))
            if change and change.seen and self.indexes.setdefault(document.tenant, held) != held:
                raise StoreUnavailableError("the tenant's indexes were changed meanwhile: try again")
            changed = self._change(document.tenant, document.document_id, rule)
            return self.corpus_version(document.tenant) if changed else None

    def copied(self, document: DocumentVersion, index: str) -> bool:
        rule = partial(self.rules.copied, document=document, index=index)
        return self._change(document.tenant, document.document_id, rule) is not None

    def lacking(self, tenant: Tenant, index: str) -> Iterator[LiveDocument]:
        rows = [row for (owner, _), row in sorted(self.rows.items(), key=lambda each: each[0][1]) if owner == tenant]
        return (each for row in rows if (each := self.rules.lacking(row, tenant, index)))

    def corpus(self, tenant: Tenant) -> Corpus:
        return Corpus(version=self.corpus_version(tenant), indexes=self.indexes.get(tenant, self.first))

    def is_live(self, document: DocumentVersion) -> bool:
        return self._row(document.tenant, document.document_id).generation == document.generation

    def awaits(self, document: DocumentVersion) -> bool:
        return self.rules.awaits(self._row(document.tenant, document.document_id), document)

    def hide(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        with self._lock:
            record = self.get(tenant, document_id)
            self._change(tenant, document_id, partial(self.rules.hidden, now=self._clock.now()))
            return replace(record, state=DocumentState.DELETING)

    def close(self, document: DocumentVersion) -> int:
        rule = partial(self.rules.closed, deletion=document, now=self._clock.now())
        self._change(document.tenant, document.document_id, rule)
        return self.corpus_version(document.tenant)

    def redrivable(self, tenant: Tenant, document_id: str) -> DocumentVersion | None:
        key = object_key(tenant, self.get(tenant, document_id).name)
        return self.rules.redrivable(self._row(tenant, document_id), tenant, key=key, now=self._clock.now())

    def get(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        record = self.rules.record_of(self._row(tenant, document_id))
        if record.state is DocumentState.DELETED:
            raise NotFoundError(f"no document {document_id}")
        return record

    def list(self, tenant: Tenant, *, limit: int, after: str | None) -> list[DocumentRecord]:
        with self._lock:
            owned = sorted((each, row) for (owner, each), row in self.rows.items() if owner == tenant)
        records = (self.rules.record_of(row) for each, row in owned if each > (after or ""))
        return [record for record in records if record.state is not DocumentState.DELETED][:limit]

    def erased_through(self, tenant: Tenant, document_id: str) -> str | None:
        return self.rules.erased_through(self._row(tenant, document_id))

    def many(self, tenant: Tenant, document_ids: Iterable[str]) -> Sequence[DocumentRecord]:
        wanted = set(document_ids)
        return [record for record in self.list(tenant, limit=10_000, after=None) if record.document_id in wanted]

    def known(self, tenant: Tenant) -> Iterator[KnownDocument]:
        for (owner, _), row in sorted(self.rows.items(), key=lambda each: each[0][1]):
            if owner == tenant:
                yield self.rules.known_of(row, tenant, key=object_key(tenant, row.name))

    def live_generations(self, tenant: Tenant, document_ids: Iterable[str]) -> dict[str, str]:
        live = {each: self.rules.live_generation(self._row(tenant, each)) for each in document_ids}
        return {each: generation for each, generation in live.items() if generation}

    def corpus_version(self, tenant: Tenant) -> int:
        return self._versions[tenant]

    def _row(self, tenant: Tenant, document_id: str) -> DocumentRow:
        return self.rows.get((tenant, document_id), DocumentRow(document_id=document_id))

    def _change(
        self, tenant: Tenant, document_id: str, rule: Callable[[DocumentRow], Change | None]
    ) -> DocumentRow | None:
        with self._lock:
            change = rule(before := self._row(tenant, document_id))
            if change is None:
                return None
            if change.row != before:
                self.rows[tenant, document_id] = replace(change.row, revision=before.revision + 1)
                self._versions[tenant] += change.seen
            return change.row
