"""What a step is: its time, its memory, its layers, and the rights it may hold."""

from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """Folders that `python -m layers.build` makes; in one function together at most 250 MB unzipped."""

    PLINTH = "plinth"
    VENDOR = "vendor"
    EMBEDDING = "embedding"
    PARSING = "parsing"
    ANTHROPIC = "anthropic"
    WEB = "web"


class Touch(StrEnum):
    """One right on one thing. The stack that owns the thing says which variables and IAM actions that means."""

    READ_TENANTS = "read tenants"
    METER_TENANTS = "meter tenants"
    READ_BUDGETS = "read budgets"
    READ_CALLS = "read calls"
    SPEND_BUDGETS = "spend budgets"
    SWEEP_BUDGETS = "sweep budgets"
    SWEEP_RUNS = "sweep runs"
    LIST_TENANTS = "list tenants"
    WRITE_EXPORTS = "write exports"
    READ_RUNS = "read runs"
    WRITE_RUNS = "write runs"
    READ_CONVERSATIONS = "read conversations"
    WRITE_CONVERSATIONS = "write conversations"
    ERASE_CONVERSATIONS = "erase conversations"
    READ_ANSWERS = "read answers"
    WRITE_ANSWERS = "write answers"
    READ_DOCUMENTS = "read documents"
    WRITE_DOCUMENTS = "write documents"
    READ_SOURCES = "read sources"
    LIST_SOURCES = "list sources"
    UPLOAD_SOURCES = "upload sources"
    DELETE_SOURCES = "delete sources"
    WITHDRAW_SOURCES = "withdraw sources"
    LIST_SYNCED = "list synced buckets"
    READ_SYNCED = "read synced objects"
    START_SYNC = "start sync"
    READ_WORK = "read work"
    WRITE_WORK = "write work"
    SEARCH_PASSAGES = "search passages"
    WRITE_PASSAGES = "write passages"
    CALL_MODELS = "call models"
    DROP_INDEXES = "drop indexes"
    REINDEX_DOCUMENTS = "reindex documents"
    EMBED_TEXTS = "embed texts"
    RANK_PASSAGES = "rank passages"
    START_ANSWER = "start answer"
    START_INGEST = "start ingest"
    START_ERASE = "start erase"
    START_IMPORT = "start import"
    WAKE_IMPORTS = "wake imports"
    BURY_DOCUMENTS = "bury documents"
    TRACK_ERASURES = "track erasures"
    ERASE_OBJECTS = "erase objects"
    ERASE_ROWS = "erase rows"
    SIGN_RECEIPTS = "sign receipts"
    REPORT_ERASURES = "report erasures"
    START_FORGET = "start forget"
    TRACK_EXPORTS = "track exports"
    COLLECT_DATA = "collect data"
    WRITE_EXPORT_FILES = "write export files"
    READ_EXPORT_FILES = "read export files"
    START_EXPORT = "start export"
    QUEUE_INFERENCES = "queue inferences"
    TRACK_INFERENCES = "track inferences"
    WAKE_INFERENCES = "wake inferences"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One function: `functions/<folder>` under its one name. A timeout stays below that of its state in the ASL."""

    name: str
    touches: tuple[Touch, ...]
    timeout_seconds: int = 10
    memory_mb: int = 256
    layers: tuple[Layer, ...] = (Layer.PLINTH, Layer.VENDOR)
    handler: str = "handler.handler"
    snap_start: bool = False

    @property
    def folder(self) -> str:
        """The name in words: RetrieveContext lives in retrieve_context."""
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in self.name).lstrip("_")

    @property
    def searches(self) -> bool:
        """Whether it talks to the search engine, and so must be in its network."""
        return bool({Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES, Touch.DROP_INDEXES} & set(self.touches))
