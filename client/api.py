"""The typed client of Plinth's HTTP API: runs and their events, documents and their uploads."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote, urlencode

import httpx

from client.errors import ApiError, NotReachableError, StreamBrokenError
from client.events import decode
from client.import_requests import FilesToImport
from client.records import (
    ConversationList,
    ConversationTurns,
    DocumentDeletion,
    DocumentPage,
    Erasure,
    Export,
    FactList,
    LinkedFiles,
    MissingFile,
    MissingFiles,
    Model,
    ModelList,
    NewDocument,
    PricedImport,
    Run,
    Upload,
    UsageReport,
)
from client.sse import messages
from client.syncs import SyncCalls
from client.wire import NothingFollowsError, Wire, decoded
from plinth.contracts.approvals import Approval
from plinth.contracts.context_orders import ContextEstimate
from plinth.contracts.conversations import Conversation, Fact
from plinth.contracts.events import LoggedEvent, RunEnded
from plinth.contracts.importing import ImportRecord
from plinth.contracts.memory import DocumentRecord
from plinth.contracts.traces import RunContents, Trace

_SILENCE_SECONDS = 600.0
"""A run waits five minutes for a person, and the sweep finds it within one: silent for longer, it never speaks."""
_RECONNECT_SECONDS = 0.25
_MOST_FAILURES = 60
_PASSING = (429, 500, 502, 503, 504)
"""A relay that has no place for one more reader is a 500 on AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask; None leaves the choice to the stack. Runs of one conversation remember each other's turns."""

    question: str
    model: str | None = None
    conversation_id: str | None = None
    max_output_tokens: int | None = None
    tools: list[str] | None = None
    filter: dict[str, dict[str, list[str]]] | None = None
    deadline_seconds: int | None = None
    max_turns: int | None = None


class PlinthApi(SyncCalls):
    """Every method raises `ApiError` where the API refuses and `NotReachableError` where nothing answers.

    `transport` and `pause` replace the network and the waiting, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = Wire(base_url, key=key, transport=transport)
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()

    def create_run(
        self, question: Question, *, idempotency_key: str | None = None, wait_seconds: int | None = None
    ) -> Run:
        """Ask. The run comes back accepted, or ended where it ends within `wait_seconds` (at most 25).

        A repeated call with the same key makes no second run; without one, each call asks anew.
        """
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        if wait_seconds is not None:
            headers["Prefer"] = f"wait={wait_seconds}"
        body = {name: value for name, value in asdict(question).items() if value is not None}
        return decoded(self._wire.send("POST", "/v1/runs", body=body, headers=headers), Run)

    def get_run(self, run_id: str) -> Run:
        """Return the run as it stands."""
        return self._wire.call("GET", f"/v1/runs/{quote(run_id, safe='')}", into=Run)

    def cancel_run(self, run_id: str) -> Run:
        """Stop the run if it has not ended; what became of it, its events tell."""
        return decoded(self._wire.send("POST", f"/v1/runs/{quote(run_id, safe='')}/cancel"), Run)

    def decide(self, run_id: str, call: str, arguments_sha256: str, decision: Literal["approve", "deny"]) -> Approval:
        """Say what becomes of a tool call that the run waits with, having seen the arguments of this hash."""
        path = f"/v1/runs/{quote(run_id, safe='')}/approvals/{quote(call, safe='')}"
        body = {"decision": decision, "arguments_sha256": arguments_sha256}
        return self._wire.call("POST", path, into=Approval, body=body)

    def trace(self, run_id: str) -> Trace:
        """Return what the run did and when, so far."""
        return self._wire.call("GET", f"/v1/runs/{quote(run_id, safe='')}/trace", into=Trace)

    def contents(self, run_id: str) -> RunContents:
        """Return what the run's steps handed to one another; the key needs the scope `contents:read`."""
        return self._wire.call("GET", f"/v1/runs/{quote(run_id, safe='')}/contents", into=RunContents)

    def events(self, run_id: str, *, after: int = 0) -> Iterator[LoggedEvent]:
        """Yield the run's events after number `after`, each once and in order, to its last.

        A connection that is lost, or that the server ends after its 60 s, is resumed behind the last event seen.
        """
        seen, heard_at, failures = after, time.monotonic(), 0
        while time.monotonic() - heard_at < _SILENCE_SECONDS:
            try:
                for event in self._connection(run_id, after=seen):
                    seen, heard_at, failures = event.seq, time.monotonic(), 0
                    yield event
                    if isinstance(event.event, RunEnded):
                        return
            except NothingFollowsError:
                return
            except (NotReachableError, ApiError) as error:
                failures += 1
                if failures > _MOST_FAILURES or (isinstance(error, ApiError) and error.status not in _PASSING):
                    raise
            self._pause(_RECONNECT_SECONDS)
        raise StreamBrokenError(f"run {run_id} said nothing for {_SILENCE_SECONDS:g} s: ask again")

    def models(self) -> tuple[Model, ...]:
        """Return the models and routes that the tenant's tier may use."""
        return self._wire.call("GET", "/v1/models", into=ModelList).data

    def usage(self, *, by: str, first_day: str | None = None, last_day: str | None = None) -> UsageReport:
        """Return what the tenant's runs used by `day`, `user`, `model` or `step`; by default this month's (UTC)."""
        days = {"first_day": first_day, "last_day": last_day}
        query = urlencode({"by": by} | {name: day for name, day in days.items() if day})
        return self._wire.call("GET", f"/v1/usage?{query}", into=UsageReport)

    def create_document(self, name: str, *, content_type: str, size_bytes: int) -> NewDocument:
        """Announce a document of this name (an existing one is replaced) and return where its bytes go."""
        body = {"name": name, "content_type": content_type, "size_bytes": size_bytes}
        return self._wire.call("POST", "/v1/documents", into=NewDocument, body=body)

    def upload(self, upload: Upload, path: Path) -> None:
        """Send a file's bytes to where `create_document` said."""
        self._wire.put_file(upload, path)

    def create_import(self, asked: FilesToImport) -> ImportRecord:
        """Announce files; the same files under the same names are the same import."""
        return self._wire.call("POST", "/v1/imports", into=ImportRecord, body=asked.body)

    def price_contexts(self, asked: FilesToImport) -> ContextEstimate | None:
        """Announce files and return what their contexts will cost; None where nothing is to be written."""
        return self._wire.call("POST", "/v1/imports", into=PricedImport, body=asked.body).contexts

    def import_uploads(self, import_id: str) -> tuple[MissingFile, ...]:
        """Return where the next missing files of an import go; none when all are there."""
        return self._wire.call("GET", f"/v1/imports/{quote(import_id, safe='')}/uploads", into=MissingFiles).files

    def start_import(self, import_id: str) -> ImportRecord:
        """Begin the import, or begin it again."""
        return decoded(self._wire.send("POST", f"/v1/imports/{quote(import_id, safe='')}/start"), ImportRecord)

    def get_import(self, import_id: str) -> ImportRecord:
        """Return how far the import is."""
        return self._wire.call("GET", f"/v1/imports/{quote(import_id, safe='')}", into=ImportRecord)

    def list_documents(self, *, limit: int = 100, after: str | None = None) -> DocumentPage:
        """Return one page of the tenant's documents; pass its `next` as `after` for the page behind it."""
        query = urlencode({"limit": limit, **({"after": after} if after else {})})
        return self._wire.call("GET", f"/v1/documents?{query}", into=DocumentPage)

    def documents(self) -> Iterator[DocumentRecord]:
        """Yield all of the tenant's documents."""
        page = self.list_documents()
        yield from page.documents
        while page.next is not None:
            page = self.list_documents(after=page.next)
            yield from page.documents

    def get_document(self, document_id: str) -> DocumentRecord:
        """Return the document as it stands."""
        return self._wire.call("GET", f"/v1/documents/{quote(document_id, safe='')}", into=DocumentRecord)

    def redrive_document(self, document_id: str) -> DocumentRecord:
        """Have a refused document tried again; return it as it stood before."""
        return self._wire.call("POST", f"/v1/documents/{quote(document_id, safe='')}/redrive", into=DocumentRecord)

    def delete_document(self, document_id: str) -> str:
        """Hide the document at once and have it erased from every store; return the erasure's id."""
        answer = self._wire.send("DELETE", f"/v1/documents/{quote(document_id, safe='')}")
        return decoded(answer, DocumentDeletion).erasure_id

    def conversations(self) -> tuple[Conversation, ...]:
        """Return your conversations, the latest first."""
        return self._wire.call("GET", "/v1/conversations", into=ConversationList).conversations

    def conversation(self, conversation_id: str) -> ConversationTurns:
        """Return the last turns of a conversation, oldest first, and its summary."""
        return self._wire.call("GET", f"/v1/conversations/{quote(conversation_id, safe='')}", into=ConversationTurns)

    def erase_conversation(self, conversation_id: str) -> None:
        """Erase the turns of a conversation."""
        self._wire.send("DELETE", f"/v1/conversations/{quote(conversation_id, safe='')}")

    def facts(self) -> tuple[Fact, ...]:
        """Return what is remembered of you, the newest first."""
        return self._wire.call("GET", "/v1/facts", into=FactList).facts

    def erase_fact(self, fact_id: str) -> None:
        """Have a fact forgotten."""
        self._wire.send("DELETE", f"/v1/facts/{quote(fact_id, safe='')}")

    def delete_user(self, user: str) -> Erasure:
        """Refuse the user's keys at once and have what belongs to them erased from every store."""
        return decoded(self._wire.send("DELETE", f"/v1/users/{quote(user, safe='')}"), Erasure)

    def delete_tenant(self, tenant: str) -> Erasure:
        """Refuse the tenant's keys at once and have everything of it erased; for operators."""
        return decoded(self._wire.send("DELETE", f"/v1/tenants/{quote(tenant, safe='')}"), Erasure)

    def get_erasure(self, erasure_id: str) -> Erasure:
        """Return the erasure as it stands, with its receipt once it is done."""
        return self._wire.call("GET", f"/v1/erasures/{quote(erasure_id, safe='')}", into=Erasure)

    def create_export(self, *, tenant: str | None = None, user: str | None = None) -> Export:
        """Have a tenant's data collected (your own by default), or that of one user of it."""
        body = {name: value for name, value in {"tenant": tenant, "user": user}.items() if value is not None}
        return self._wire.call("POST", "/v1/exports", into=Export, body=body)

    def get_export(self, export: Export) -> Export:
        """Return the export as it stands now."""
        return self._wire.call("GET", f"/v1/exports/{export.id}?{urlencode({'tenant': export.tenant})}", into=Export)

    def export_files(self, export: Export) -> Iterator[tuple[str, bytes]]:
        """Yield every file of an export that is done, by path."""
        query = {"tenant": export.tenant}
        while True:
            path = f"/v1/exports/{export.id}/files?{urlencode(query)}"
            page = self._wire.call("GET", path, into=LinkedFiles)
            yield from ((each.path, self._wire.get_file(each.url)) for each in page.files)
            if page.next is None:
                return
            query["after"] = page.next

    def _connection(self, run_id: str, *, after: int) -> Iterator[LoggedEvent]:
        headers = {"Last-Event-ID": str(after)} if after else {}
        for message in messages(self._wire.lines(f"/v1/runs/{quote(run_id, safe='')}/events", headers=headers)):
            event = decode(message.data)
            if event is not None and event.seq > after:
                yield event
