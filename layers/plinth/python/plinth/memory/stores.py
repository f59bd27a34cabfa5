"""Where content of tenants lies: every store is registered here, with what erases it or when it is gone by itself.

`tests/cdk/test_stores.py` holds the templates to this list: a table, bucket, queue, index, machine or log group that
is not in it fails, and so does a store that says it is erased or exported and has no adapter that does so.
"""

from dataclasses import dataclass

from plinth.contracts.erasing import Extent

ALL = frozenset(Extent)
OF_TENANT = frozenset({Extent.TENANT})
OF_PEOPLE = frozenset({Extent.USER, Extent.TENANT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What no erasure reaches, of which extents, and how many days it is kept at most."""

    store: str
    what: str
    kept_days: int
    of: frozenset[Extent] = ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredStore:
    """A store. `resources` are CloudFormation resources by `<stack>/<construct>`, or whole types by `AWS::...`.

    `erased` are the extents whose erasure goes through it. An export goes through it, or `not_exported` says why not.
    """

    name: str
    resources: tuple[str, ...]
    holds: str
    erased: frozenset[Extent] = frozenset()
    not_exported: str = ""
    copies: tuple[Copy, ...] = ()


def _restorable(store: str) -> Copy:
    return Copy(store=store, what="point-in-time recovery of the table", kept_days=35)


def _table(name: str, holds: str, erased: frozenset[Extent], *, not_exported: str = "") -> RegisteredStore:
    return RegisteredStore(
        name=name,
        resources=(f"data/{name.capitalize()}",),
        holds=holds,
        erased=erased,
        not_exported=not_exported,
        copies=(_restorable(name),) if erased else (),
    )


STORES = (
    RegisteredStore(
        name="sources",
        resources=("data/Sources",),
        holds="documents as they were uploaded, in all versions",
        erased=frozenset({Extent.DOCUMENT, Extent.TENANT}),
    ),
    RegisteredStore(
        name="work",
        resources=("data/Work",),
        holds="what passes between steps: files, lists, text, passages, vectors, long requests to models, their ends",
        not_exported="made of the documents, and gone in 2 days",
        erased=frozenset({Extent.DOCUMENT, Extent.TENANT}),
        copies=(
            Copy(
                store="work",
                what="files and lists of imports and reindexes, long requests to models and their ends, and what an"
                " ingestion under way wrote late: content and names",
                kept_days=2,
            ),
        ),
    ),
    RegisteredStore(
        name="exports",
        resources=("data/Exports",),
        holds="monthly usage files of all tenants, and exports that tenants asked for",
        not_exported="exports themselves, and operators' files of what all tenants used",
        erased=ALL,
        copies=(
            Copy(
                store="exports",
                what="a file of an export whose function died while both ran: no link to it exists",
                kept_days=9,
            ),
        ),
    ),
    RegisteredStore(
        name="passages",
        resources=("memory/Search",),
        holds="passages and their vectors",
        not_exported="made of the documents, and made again from them",
        erased=frozenset({Extent.DOCUMENT, Extent.TENANT}),
        copies=(
            Copy(
                store="passages",
                what="automated snapshots of a managed search domain",
                kept_days=14,
                of=frozenset({Extent.DOCUMENT, Extent.TENANT}),
            ),
        ),
    ),
    _table("tenants", "tenants, users' keys, limits, erasures and their receipts, which exports there are", ALL),
    _table("ledger", "budgets and reservations, by tenant, user and key", OF_PEOPLE),
    _table("runs", "requests, prompts, passages, replies, logs, receipts, usage", ALL),
    _table("conversations", "turns, summaries of older ones, and facts", ALL),
    _table("documents", "names, titles and states of documents, imports and syncs", OF_TENANT | {Extent.DOCUMENT}),
    _table(
        "answers",
        "cached answers, of which none says who asked for it",
        ALL,
        not_exported="copies of answers that the runs have",
    ),
    RegisteredStore(
        name="inferences",
        resources=("infer/Inferences",),
        holds="task tokens of long inferences, without content",
        not_exported="holds no content",
        copies=(Copy(store="inferences", what="rows of who waits for which inference", kept_days=1),),
    ),
    RegisteredStore(
        name="changes",
        resources=("ingest/Changes", "ingest/LostEvents", "ingest/RefusedDocuments", "infer/LostNotices"),
        holds="names of documents on their way or refused, without their content",
        not_exported="the documents' own rows say the same",
        copies=(
            Copy(
                store="changes",
                what="messages of refused documents and of events that could not be handed on: names, no content",
                kept_days=14,
                of=frozenset({Extent.DOCUMENT, Extent.TENANT}),
            ),
        ),
    ),
    RegisteredStore(
        name="failed erasures",
        resources=("erasure/FailedErasures",),
        holds="ids of erasures that failed",
        not_exported="holds no content",
        copies=(Copy(store="failed erasures", what="ids of erasures that failed", kept_days=14),),
    ),
    RegisteredStore(
        name="executions",
        resources=("AWS::StepFunctions::StateMachine",),
        holds="histories of state machines: ids, names of documents, counts; never content",
        not_exported="holds no content; the logs of the runs tell the same",
        copies=(Copy(store="executions", what="execution histories: ids and names of documents", kept_days=90),),
    ),
    RegisteredStore(
        name="logs",
        resources=("AWS::Logs::LogGroup",),
        holds="one line per step and request: ids and a hash of the tenant, never content or names",
        not_exported="holds no content and no names",
        copies=(Copy(store="logs", what="log lines: ids and a hash of the tenant, no content", kept_days=93),),
    ),
    RegisteredStore(
        name="console",
        resources=("console/",),
        holds="the console's own files and its access logs",
        not_exported="holds no content",
    ),
)
"""Every store of an environment."""

COPIES = tuple(copy for store in STORES for copy in store.copies)


def is_erased(name: str, extent: Extent) -> bool:
    """Say whether the erasure of this extent goes through the store; one that is not registered is never touched."""
    return any(store.name == name and extent in store.erased for store in STORES)
