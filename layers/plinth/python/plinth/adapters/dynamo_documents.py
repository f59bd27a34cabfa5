"""How the rules of a document's row are kept in DynamoDB: read, decide, and write if nobody wrote meanwhile.

Row DOCUMENT#<id> (pk `<tenant>`) is `plinth.memory.document_row.DocumentRow`; its `revision` counts the writes. Row
CORPUS (`plinth.adapters.dynamo_corpus`) rises, in the same transaction, with every change that a search could see.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import islice

from plinth.adapters.dynamo_corpus import DynamoCorpus, raised, raised_within
from plinth.adapters.dynamodb_items import Value, row
from plinth.adapters.dynamodb_table import ConditionFailedError, Key, Put, Table, Update
from plinth.contracts.indexes import Corpus, TenantIndexes
from plinth.contracts.memory import (
    NO_FACTS,
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
from plinth.memory import document_row as rules
from plinth.memory.document_row import Change, DocumentRow
from plinth.memory.naming import object_key
from plinth.ports.clock import Clock

_TRIES = 40
_PREFIX = "DOCUMENT#"


class DynamoDocuments:
    """`Documents` in one table."""

    def __init__(self, *, table: Table, clock: Clock, first_index: str = "passages-m0") -> None:
        self._table = table
        self._clock = clock
        self._corpus = DynamoCorpus(table=table, first_index=first_index)

    def announce(self, tenant: Tenant, record: DocumentRecord) -> None:
        """Show the document as awaited if it is new or was deleted."""
        self._change(tenant, record.document_id, partial(rules.announced, record=record))

    def begin(self, document: DocumentVersion, *, execution: str, reread_for: str = "") -> int | None:
        """Give the execution a try of the version; return its number."""
        begun = partial(
            rules.begun, document=document, execution=execution, now=self._clock.now(), reread_for=reread_for
        )
        changed = self._change(document.tenant, document.document_id, begun)
        return changed.attempt if changed else None

    def refuse(self, document: DocumentVersion, failure: Failure, *, execution: str) -> DocumentRecord | None:
        """Note the reason; return the document as it then stands."""
        refused = partial(rules.refused, document=document, failure=failure, execution=execution, now=self._clock.now())
        changed = self._change(document.tenant, document.document_id, refused)
        return rules.record_of(changed) if changed and changed.state is DocumentState.REFUSED else None

    def publish(self, document: DocumentVersion, content: Content) -> int | None:
        """Make the version live if it still may, and the tenant's indexes are the given ones."""
        held = content.indexes or self.corpus(document.tenant).indexes
        content = replace(content, indexes=held)
        published = partial(rules.published, document=document, content=content, now=self._clock.now())
        changed = self._change(document.tenant, document.document_id, published, within=held)
        return self.corpus_version(document.tenant) if changed else None

    def copied(self, document: DocumentVersion, index: str) -> bool:
        """Note it if the version is live."""
        return (
            self._change(document.tenant, document.document_id, partial(rules.copied, document=document, index=index))
            is not None
        )

    def lacking(self, tenant: Tenant, index: str) -> Iterator[LiveDocument]:
        """Read the tenant's partition as it is now."""
        for stored in self._rows(tenant):
            lacking = rules.lacking(stored, tenant, index)
            if lacking:
                yield lacking

    def is_live(self, document: DocumentVersion) -> bool:
        """Tell whether the version is the live one."""
        return self._row(document.tenant, document.document_id).generation == document.generation

    def awaits(self, document: DocumentVersion) -> bool:
        """Tell whether the version may still become live."""
        return rules.awaits(self._row(document.tenant, document.document_id), document)

    def hide(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Hide the document from every search."""
        record = self.get(tenant, document_id)
        if not self._change(tenant, document_id, partial(rules.hidden, now=self._clock.now())):
            raise NotFoundError(f"no document {document_id}")
        return replace(record, state=DocumentState.DELETING)

    def close(self, document: DocumentVersion) -> int:
        """Leave a tombstone at the deletion's sequence."""
        closed = partial(rules.closed, deletion=document, now=self._clock.now())
        self._change(document.tenant, document.document_id, closed)
        return self.corpus_version(document.tenant)

    def redrivable(self, tenant: Tenant, document_id: str) -> DocumentVersion | None:
        """Return the version that may be tried again, or None; `NotFoundError` if the document is absent."""
        record = self.get(tenant, document_id)
        found, key = self._row(tenant, document_id), object_key(tenant, record.name)
        return rules.redrivable(found, tenant, key=key, now=self._clock.now())

    def get(self, tenant: Tenant, document_id: str) -> DocumentRecord:
        """Return the document as the API shows it."""
        record = rules.record_of(self._row(tenant, document_id))
        if record.state is DocumentState.DELETED:
            raise NotFoundError(f"no document {document_id}")
        return record

    def list(self, tenant: Tenant, *, limit: int, after: str | None) -> list[DocumentRecord]:
        """Return documents by id, reading on where deleted ones leave a page short."""
        found = self._records(tenant, after=after, page_size=limit)
        return list(islice((record for record in found if record.state is not DocumentState.DELETED), limit))

    def _records(self, tenant: Tenant, *, after: str | None, page_size: int) -> Iterator[DocumentRecord]:
        """Yield documents by id, deleted ones too, in pages that grow: however many those are, reads are few."""
        while True:
            first = _PREFIX if after is None else f"{_PREFIX}{after}\0"
            found = self._table.query(tenant.id, first=first, last=f"{_PREFIX}\U0010ffff", page_size=page_size)
            page = [rules.record_of(_stored(item)) for item in islice(found, page_size)]
            yield from page
            if len(page) < page_size:
                return
            after, page_size = page[-1].document_id, page_size * 4

    def erased_through(self, tenant: Tenant, document_id: str) -> str | None:
        """Return what the row says."""
        return rules.erased_through(self._row(tenant, document_id))

    def many(self, tenant: Tenant, document_ids: Iterable[str]) -> Sequence[DocumentRecord]:
        """Return documents from one consistent batch read."""
        found = self._table.get_many(_key(tenant, document_id) for document_id in document_ids)
        records = (rules.record_of(_stored(item)) for item in found)
        return [record for record in records if record.state is not DocumentState.DELETED]

    def known(self, tenant: Tenant) -> Iterator[KnownDocument]:
        """Read the tenant's partition as it is now."""
        for stored in self._rows(tenant):
            yield rules.known_of(stored, tenant, key=object_key(tenant, stored.name))

    def _rows(self, tenant: Tenant) -> Iterator[DocumentRow]:
        return map(_stored, self._table.query(tenant.id, first=_PREFIX, last=f"{_PREFIX}\U0010ffff"))

    def live_generations(self, tenant: Tenant, document_ids: Iterable[str]) -> dict[str, str]:
        """Return what searches may show, from one consistent batch read."""
        found = self._table.get_many(_key(tenant, document_id) for document_id in document_ids)
        live = ((stored.document_id, rules.live_generation(stored)) for stored in map(_stored, found))
        return {document_id: generation for document_id, generation in live if generation}

    def corpus_version(self, tenant: Tenant) -> int:
        """Return 0 before the first change."""
        return self._corpus.version(tenant)

    def corpus(self, tenant: Tenant) -> Corpus:
        """Return what the row says; of a tenant that has published nothing, where its first passages go."""
        return self._corpus.of(tenant)

    def _row(self, tenant: Tenant, document_id: str) -> DocumentRow:
        found = self._table.get(_key(tenant, document_id))
        return _stored(found) if found else DocumentRow(document_id=document_id)

    def _change(
        self,
        tenant: Tenant,
        document_id: str,
        rule: Callable[[DocumentRow], Change | None],
        *,
        within: TenantIndexes | None = None,
    ) -> DocumentRow | None:
        """Return the row as the rule leaves it, None where the rule forbids the change.

        `within`, a search must find it in these indexes and no others, or the change is not made.
        """
        risen = raised_within(tenant, within) if within else raised(tenant)
        for _ in range(_TRIES):
            before = self._row(tenant, document_id)
            change = rule(before)
            if change is None or change.row == before:
                return change.row if change else None
            if self._written(tenant, change, risen):
                return change.row
        raise StoreUnavailableError(f"{_TRIES} others changed the document meanwhile: try again later")

    def _written(self, tenant: Tenant, change: Change, risen: Update) -> bool:
        put = Put(
            key=_key(tenant, change.row.document_id),
            item=_item(change.row),
            condition="#revision = :revision" if change.row.revision else "attribute_not_exists(#revision)",
            values={":revision": change.row.revision} if change.row.revision else {},
        )
        try:
            if change.seen:
                self._table.transact(put, risen)
            else:
                self._table.write(put)
        except ConditionFailedError as error:
            if error.old[-1] is not None and change.seen and risen.condition:
                raise StoreUnavailableError("the tenant's indexes were changed meanwhile: try again") from error
            return False
        return True


def _stored(item: Mapping[str, Value]) -> DocumentRow:
    return row({"document_id": str(item["sk"]).removeprefix(_PREFIX), **item}, DocumentRow)


def _item(stored: DocumentRow) -> dict[str, Value | None]:
    """Return the row one revision on; a tombstone holds nothing of the document."""
    item = asdict(replace(stored, revision=stored.revision + 1))
    del item["document_id"]
    if stored.source == NO_FACTS:
        del item["source"]
    return {name: value for name, value in item.items() if value not in ("", ())}


def _key(tenant: Tenant, document_id: str) -> Key:
    return tenant.id, f"{_PREFIX}{document_id}"
