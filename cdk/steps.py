"""What each function gets: time, memory, layers, and exactly what it may touch."""

from cdk.step import Layer, Step, Touch

_RUNS = (Touch.READ_RUNS, Touch.WRITE_RUNS)
_LIMITS = (Touch.READ_TENANTS, Touch.METER_TENANTS)
_CONVERSATIONS = (Touch.READ_CONVERSATIONS, Touch.WRITE_CONVERSATIONS, Touch.ERASE_CONVERSATIONS)
_ASKING = (Touch.SPEND_BUDGETS, Touch.CALL_MODELS)
_PLACING = (Touch.READ_SOURCES, Touch.UPLOAD_SOURCES)
_WORK = (Touch.READ_WORK, Touch.WRITE_WORK)
_DOCUMENTS = (Touch.READ_DOCUMENTS, Touch.WRITE_DOCUMENTS)
_SEARCHING = (Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.EMBED_TEXTS, Touch.RANK_PASSAGES)
_WITH_EMBEDDING = (Layer.PLINTH, Layer.VENDOR, Layer.EMBEDDING)

ANSWER_STEPS = (
    Step(name="ClaimRun", touches=_RUNS),
    Step(
        name="RetrieveContext",
        touches=(*_RUNS, *_SEARCHING, Touch.READ_CONVERSATIONS),
        timeout_seconds=30,
        memory_mb=1024,
        layers=_WITH_EMBEDDING,
    ),
    Step(name="RecallConversation", touches=(*_RUNS, Touch.READ_CONVERSATIONS)),
    Step(name="LookUpAnswer", touches=(*_RUNS, Touch.READ_ANSWERS)),
    Step(
        name="CheckAnswerable",
        touches=(*_RUNS, *_ASKING),
        timeout_seconds=60,
        layers=(Layer.PLINTH, Layer.VENDOR, Layer.ANTHROPIC),
        snap_start=True,
    ),
    Step(name="BuildPrompt", touches=_RUNS),
    Step(
        name="CallModel",
        touches=(*_RUNS, *_ASKING),
        timeout_seconds=240,
        layers=(Layer.PLINTH, Layer.VENDOR, Layer.ANTHROPIC),
        snap_start=True,
    ),
    Step(
        name="RunTool",
        touches=(*_RUNS, *_SEARCHING, *_CONVERSATIONS),
        timeout_seconds=30,
        memory_mb=1024,
        layers=_WITH_EMBEDDING,
    ),
    Step(
        name="RunExternalTool",
        touches=_RUNS,
        timeout_seconds=30,
        memory_mb=1024,
        layers=(Layer.PLINTH, Layer.VENDOR, Layer.PARSING),
    ),
    Step(name="SaveContinuation", touches=(*_RUNS, Touch.METER_TENANTS, Touch.READ_CALLS)),
    Step(name="ParseReply", touches=_RUNS),
    Step(
        name="SaveAnswer",
        touches=(*_RUNS, Touch.WRITE_CONVERSATIONS, Touch.WRITE_ANSWERS, Touch.READ_BUDGETS, *_LIMITS),
    ),
    Step(
        name="SummarizeTurns",
        touches=(*_RUNS, Touch.READ_CONVERSATIONS, Touch.WRITE_CONVERSATIONS, *_ASKING),
        timeout_seconds=60,
        layers=(Layer.PLINTH, Layer.VENDOR, Layer.ANTHROPIC),
        snap_start=True,
    ),
    Step(name="FailRun", touches=(*_RUNS, Touch.READ_BUDGETS, Touch.READ_CALLS, *_LIMITS)),
)

INGEST_STEPS = (
    Step(name="ClaimDocument", touches=(*_DOCUMENTS, Touch.READ_TENANTS)),
    Step(
        name="ReadDocument",
        touches=(Touch.READ_SOURCES, Touch.WRITE_WORK),
        timeout_seconds=120,
        memory_mb=1769,
        layers=(Layer.PLINTH, Layer.VENDOR, Layer.PARSING),
    ),
    Step(
        name="SplitDocument",
        touches=_WORK,
        timeout_seconds=60,
        memory_mb=512,
        layers=_WITH_EMBEDDING,
    ),
    Step(
        name="PlanContexts",
        touches=(*_WORK, Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.READ_TENANTS),
        timeout_seconds=60,
        memory_mb=512,
    ),
    Step(
        name="WriteContexts",
        touches=(*_WORK, *_RUNS, Touch.READ_TENANTS, *_ASKING),
        timeout_seconds=240,
        layers=(Layer.PLINTH, Layer.VENDOR, Layer.ANTHROPIC),
        snap_start=True,
    ),
    Step(
        name="EmbedPassages",
        touches=(*_WORK, Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.EMBED_TEXTS),
        timeout_seconds=600,
        memory_mb=1769,
        layers=_WITH_EMBEDDING,
    ),
    Step(
        name="IndexPassages",
        touches=(Touch.READ_WORK, Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES),
        timeout_seconds=120,
        memory_mb=512,
    ),
    Step(
        name="PublishDocument",
        touches=(*_DOCUMENTS, Touch.READ_WORK, Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES),
        timeout_seconds=60,
    ),
    Step(
        name="RemovePassages",
        touches=(Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES),
        timeout_seconds=60,
    ),
    Step(name="RefuseDocument", touches=(*_DOCUMENTS, Touch.READ_TENANTS, Touch.BURY_DOCUMENTS)),
)

ERASE_STEPS = (
    Step(name="CloseDocument", touches=_DOCUMENTS),
    Step(
        name="ErasePassages",
        touches=(Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES),
        timeout_seconds=120,
    ),
)

FORGET_STEPS = (
    Step(
        name="EraseObjects",
        touches=(Touch.TRACK_ERASURES, Touch.READ_DOCUMENTS, Touch.ERASE_OBJECTS),
        timeout_seconds=120,
        memory_mb=512,
    ),
    Step(
        name="EraseIndex",
        touches=(Touch.TRACK_ERASURES, Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES),
        timeout_seconds=120,
    ),
    Step(name="EraseRows", touches=(Touch.TRACK_ERASURES, Touch.ERASE_ROWS), timeout_seconds=120, memory_mb=512),
    Step(name="SignReceipt", touches=(Touch.TRACK_ERASURES, Touch.SIGN_RECEIPTS), timeout_seconds=30),
    Step(name="FailErasure", touches=(Touch.TRACK_ERASURES, Touch.REPORT_ERASURES), timeout_seconds=30),
)

EXPORT_STEPS = (
    Step(
        name="CollectData",
        touches=(Touch.TRACK_EXPORTS, Touch.COLLECT_DATA, Touch.WRITE_EXPORT_FILES),
        timeout_seconds=120,
        memory_mb=1024,
    ),
    Step(name="FailExport", touches=(Touch.TRACK_EXPORTS,), timeout_seconds=30),
)

IMPORT_STEPS = (
    Step(
        name="PlaceDocument",
        touches=(*_DOCUMENTS, Touch.READ_TENANTS, Touch.READ_WORK, *_PLACING, Touch.READ_SYNCED, Touch.WAKE_IMPORTS),
        timeout_seconds=30,
    ),
    Step(name="NoteOutcome", touches=_DOCUMENTS),
    Step(name="CloseImport", touches=_DOCUMENTS),
)

REINDEX_STEPS = (
    Step(
        name="AdvanceReindex",
        touches=(*_DOCUMENTS, Touch.REINDEX_DOCUMENTS, Touch.WRITE_WORK, Touch.SEARCH_PASSAGES, Touch.DROP_INDEXES),
        timeout_seconds=600,
        memory_mb=512,
    ),
    Step(
        name="FillDocument",
        touches=(*_DOCUMENTS, Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES, Touch.EMBED_TEXTS),
        timeout_seconds=600,
        memory_mb=1769,
        layers=_WITH_EMBEDDING,
    ),
)

INFER_STEPS = (
    Step(
        name="StartInference",
        touches=(Touch.TRACK_INFERENCES, Touch.WRITE_WORK, Touch.QUEUE_INFERENCES, Touch.WAKE_INFERENCES),
        timeout_seconds=30,
    ),
)

FINISH_INFERENCE = Step(
    name="FinishInference", touches=(Touch.TRACK_INFERENCES, Touch.WAKE_INFERENCES), timeout_seconds=30
)

SWEEP_BUDGETS = Step(name="SweepBudgets", touches=(Touch.SWEEP_BUDGETS,), timeout_seconds=55)

SWEEP_RUNS = Step(
    name="SweepRuns",
    touches=(*_RUNS, Touch.SWEEP_RUNS, Touch.READ_CALLS, Touch.START_ANSWER, *_LIMITS),
    timeout_seconds=55,
)

EXPORT_USAGE = Step(
    name="ExportUsage",
    touches=(Touch.LIST_TENANTS, Touch.READ_RUNS, Touch.WRITE_EXPORTS),
    timeout_seconds=300,
    memory_mb=512,
)

START_INGEST = Step(
    name="StartIngest",
    touches=(Touch.START_INGEST, Touch.START_ERASE, Touch.READ_DOCUMENTS, Touch.WAKE_IMPORTS),
    timeout_seconds=30,
)

SYNC_DOCUMENTS = Step(
    name="SyncDocuments",
    touches=(
        Touch.LIST_TENANTS,
        *_DOCUMENTS,
        Touch.LIST_SOURCES,
        Touch.READ_SOURCES,
        Touch.WITHDRAW_SOURCES,
        Touch.LIST_SYNCED,
        Touch.WRITE_WORK,
        Touch.START_INGEST,
        Touch.START_ERASE,
        Touch.START_IMPORT,
    ),
    timeout_seconds=900,
    memory_mb=512,
)

API = Step(
    name="Api",
    touches=(
        *_LIMITS,
        *_RUNS,
        *_DOCUMENTS,
        Touch.READ_ANSWERS,
        Touch.READ_CONVERSATIONS,
        Touch.ERASE_CONVERSATIONS,
        Touch.READ_BUDGETS,
        Touch.UPLOAD_SOURCES,
        Touch.DELETE_SOURCES,
        Touch.START_ANSWER,
        Touch.START_INGEST,
        Touch.TRACK_ERASURES,
        Touch.START_FORGET,
        Touch.TRACK_EXPORTS,
        Touch.READ_EXPORT_FILES,
        Touch.START_EXPORT,
        Touch.READ_WORK,
        Touch.WRITE_WORK,
        Touch.START_IMPORT,
        Touch.START_SYNC,
    ),
    timeout_seconds=28,
    memory_mb=512,
)
OPEN_PASSAGE = Step(
    name="OpenPassage",
    touches=(*_LIMITS, Touch.READ_DOCUMENTS, Touch.SEARCH_PASSAGES),
    timeout_seconds=29,
    memory_mb=512,
)

RELAY = Step(
    name="Relay",
    touches=(Touch.READ_TENANTS, Touch.READ_RUNS),
    timeout_seconds=70,
    layers=(Layer.PLINTH, Layer.VENDOR, Layer.WEB),
    handler="run.sh",
)

ALL_STEPS = (
    *ANSWER_STEPS,
    *INGEST_STEPS,
    *ERASE_STEPS,
    *FORGET_STEPS,
    *EXPORT_STEPS,
    *IMPORT_STEPS,
    *REINDEX_STEPS,
    *INFER_STEPS,
    START_INGEST,
    SYNC_DOCUMENTS,
    FINISH_INFERENCE,
    SWEEP_BUDGETS,
    SWEEP_RUNS,
    EXPORT_USAGE,
    API,
    OPEN_PASSAGE,
    RELAY,
)
