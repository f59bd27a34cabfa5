"""Which environment variables a function reads: each typed, read on first use, named in the error if it is missing."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from plinth.contracts.indexes import IndexSettings, SearchModel
from plinth.contracts.retrieval import Retrieval
from plinth.errors import SettingMissingError

SearchAuth = Literal["none", "es", "aoss"]
AnthropicAccess = Literal["key", "aws"]
_Kind = TypeVar("_Kind")


class _Variable:
    """A variable by its name. A value of the same name on the settings, or on a class of a test, takes its place."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self._attribute = attribute


class Required(_Variable):
    """A variable that has to be set."""

    def __get__(self, settings: object, owner: type) -> str:
        value = vars(settings)[self._attribute] = _required(self._name)
        return value


class IfSet(_Variable):
    """A variable that may be left out: None then."""

    def __get__(self, settings: object, owner: type) -> str | None:
        value = vars(settings)[self._attribute] = os.environ.get(self._name)
        return value


class Settings:
    """Typed environment variables. A function needs only those that it reads."""

    environment = Required("PLINTH_ENVIRONMENT")
    """Environment name (local, dev, prod ...), part of every API key."""

    tenants_table = Required("PLINTH_TENANTS_TABLE")
    """Table of tenants, keys, tiers and rate limits."""

    @cached_property
    def run_capacity(self) -> int | None:
        """How many runs may run at once before low priorities are turned away; unset, nobody is."""
        return int(os.environ.get("PLINTH_RUN_CAPACITY") or 0) or None

    ledger_table = Required("PLINTH_LEDGER_TABLE")
    """Table of budgets and reservations."""

    runs_table = Required("PLINTH_RUNS_TABLE")
    """Table of runs and their logs."""

    conversations_table = Required("PLINTH_CONVERSATIONS_TABLE")
    """Table of conversation turns."""

    documents_table = Required("PLINTH_DOCUMENTS_TABLE")
    """Table of document rows and corpus versions."""

    answers_table = Required("PLINTH_ANSWERS_TABLE")
    """Table of cached answers."""

    documents_bucket = Required("PLINTH_DOCUMENTS_BUCKET")
    """Bucket that documents arrive in, under `<tenant>/<name>`."""

    work_bucket = Required("PLINTH_WORK_BUCKET")
    """Bucket of what ingest steps hand on; its objects expire."""

    exports_bucket = Required("PLINTH_EXPORTS_BUCKET")
    """Bucket of the monthly usage files, and of exports."""

    dead_letter_queue_url = Required("PLINTH_DEAD_LETTER_QUEUE_URL")
    """Queue of documents that could not be ingested."""

    opensearch_url = Required("PLINTH_OPENSEARCH_URL")
    """Base URL of the search engine."""

    @cached_property
    def opensearch_auth(self) -> SearchAuth:
        """How requests to the search engine are signed: `none`, `es` (domain) or `aoss` (serverless)."""
        match _required("PLINTH_OPENSEARCH_AUTH"):
            case "none" | "es" | "aoss" as auth:
                return auth
            case other:
                raise SettingMissingError(f"PLINTH_OPENSEARCH_AUTH is {other!r}: use none, es or aoss")

    answer_machine_arn = IfSet("PLINTH_ANSWER_MACHINE_ARN")
    """ARN of the answer machine, for a function that may start it."""

    ingest_machine_arn = IfSet("PLINTH_INGEST_MACHINE_ARN")
    """ARN of the ingest machine, for a function that may start it."""

    erase_machine_arn = IfSet("PLINTH_ERASE_MACHINE_ARN")
    """ARN of the erase machine, for a function that may start it."""

    forget_machine_arn = IfSet("PLINTH_FORGET_MACHINE_ARN")
    """ARN of the machine of erasures, for a function that may start it."""

    export_machine_arn = IfSet("PLINTH_EXPORT_MACHINE_ARN")
    """ARN of the machine of exports, for a function that may start it."""

    @cached_property
    def erase_settle_seconds(self) -> float:
        """How long after an erasure began something from before it may still be written: its last pass is later."""
        return float(_required("PLINTH_ERASE_SETTLE_SECONDS"))

    receipts_key_id = Required("PLINTH_RECEIPTS_KEY_ID")
    """KMS key that signs receipts of erasures."""

    failed_erasures_queue_url = Required("PLINTH_FAILED_ERASURES_QUEUE_URL")
    """Queue of erasures that could not be finished."""

    import_machine_arn = IfSet("PLINTH_IMPORT_MACHINE_ARN")
    """ARN of the import machine, for a function that may start it."""

    @cached_property
    def imports_at_once(self) -> int:
        """How many files of one import are on their way at once."""
        return int(_required("PLINTH_IMPORTS_AT_ONCE"))

    @cached_property
    def sync_settle_seconds(self) -> float:
        """How long an event of the documents bucket may be on its way: what changed since then no sync touches.

        Only tests set it.
        """
        return float(os.environ.get("PLINTH_SYNC_SETTLE_SECONDS", "900"))

    @cached_property
    def sync_buckets(self) -> tuple[str, ...]:
        """Names of the buckets, separated by spaces, that syncs may read; without any there are none to sync."""
        return tuple(os.environ.get("PLINTH_SYNC_BUCKETS", "").split())

    sync_function = Required("PLINTH_SYNC_FUNCTION")
    """Name of the function that makes passes of syncs."""

    @cached_property
    def reindex_grace_seconds(self) -> float:
        """How long an index is kept after the last function that began in it may have read or written it."""
        return float(_required("PLINTH_REINDEX_GRACE_SECONDS"))

    default_model = Required("PLINTH_DEFAULT_MODEL")
    """Catalogue id of the model that answers where the caller names none."""

    @cached_property
    def catalogue_file(self) -> Path | None:
        """File that replaces the packaged catalogue of models, on a laptop that tries other ones."""
        name = os.environ.get("PLINTH_CATALOGUE")
        return Path(name) if name else None

    model_endpoint = Required("PLINTH_MODEL_ENDPOINT")
    """Name of the SageMaker endpoint of the self-hosted model."""

    model_component = IfSet("PLINTH_MODEL_COMPONENT")
    """Name of the endpoint's inference component, for an endpoint that has any."""

    @cached_property
    def model_endpoint_url(self) -> str:
        """Base URL of the endpoint's OpenAI route. AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME replaces its host on a laptop."""
        own_host = os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME")
        host = own_host or f"https://runtime.sagemaker.{self.region}.amazonaws.com"
        component = f"/inference-components/{self.model_component}" if self.model_component else ""
        return f"{host}/endpoints/{self.model_endpoint}{component}/openai/v1"

    region = Required("AWS_REGION")
    """AWS region, which Lambda sets."""

    openai_secret_arn = Required("PLINTH_OPENAI_SECRET_ARN")
    """ARN of the secret that holds the OpenAI API key."""

    @cached_property
    def openai_url(self) -> str:
        """Base URL of the OpenAI API, or of a server that speaks its protocol."""
        return os.environ.get("PLINTH_OPENAI_URL") or "https://api.openai.com/v1"

    @cached_property
    def anthropic_access(self) -> AnthropicAccess:
        """How Anthropic's models are reached: by `key` at Anthropic, or by `aws` with this function's own role."""
        match os.environ.get("PLINTH_ANTHROPIC_ACCESS") or "key":
            case "key" | "aws" as access:
                return access
            case other:
                raise SettingMissingError(f"PLINTH_ANTHROPIC_ACCESS is {other!r}: use key or aws")

    anthropic_workspace = Required("PLINTH_ANTHROPIC_WORKSPACE")
    """Id of the workspace of Claude Platform on AWS."""

    anthropic_secret_arn = Required("PLINTH_ANTHROPIC_SECRET_ARN")
    """ARN of the secret that holds the Anthropic API key."""

    async_endpoint = Required("PLINTH_ASYNC_ENDPOINT")
    """Name of the asynchronous SageMaker endpoint."""

    inferences_table = Required("PLINTH_INFERENCES_TABLE")
    """Table of who waits for which inference."""

    @cached_property
    def search_index(self) -> str:
        """Name of the index of passages: each embedding model has one of its own, since their vectors don't mix."""
        return os.environ.get("PLINTH_SEARCH_INDEX") or "passages"

    @cached_property
    def vector_dimension(self) -> int:
        """Numbers of one vector in that index."""
        return int(os.environ.get("PLINTH_VECTOR_DIMENSION") or 384)

    @cached_property
    def index_settings(self) -> IndexSettings:
        """How indexes are made: JSON of those fields that are not as by default."""
        return _json("PLINTH_INDEX_SETTINGS", IndexSettings, default="{}")

    @cached_property
    def retrieval(self) -> Retrieval:
        """How passages are looked for and chosen: JSON of those fields that are not as by default."""
        return _json("PLINTH_RETRIEVAL", Retrieval, default="{}")

    rerank_endpoint = Required("PLINTH_RERANK_ENDPOINT")
    """Name of the SageMaker endpoint of the reranker."""

    embedding_endpoint = IfSet("PLINTH_EMBEDDING_ENDPOINT")
    """Name of the SageMaker endpoint that makes vectors, where the functions don't make them themselves."""

    embedding_model = Required("PLINTH_EMBEDDING_MODEL")
    """The model of that endpoint."""

    @cached_property
    def earlier_models(self) -> tuple[SearchModel, ...]:
        """The models of indexes that a reindex has yet to replace, and their endpoints where this function embeds."""
        known = _json("PLINTH_EARLIER_MODELS", tuple[SearchModel, ...], default="[]")
        at = _json("PLINTH_EARLIER_ENDPOINTS", dict[str, str], default="{}")
        return tuple(msgspec.structs.replace(each, endpoint=at.get(each.index)) for each in known)

    @cached_property
    def embedding_dir(self) -> Path:
        """Folder of the embedding model's files: in a layer under /opt, or under one of the local stand-ins for it."""
        roots = os.environ.get("PLINTH_OPT", "/opt").split(os.pathsep)
        candidates = [Path(root) / "models" / "minilm" for root in roots]
        found = next((path for path in candidates if path.is_dir()), None)
        if found is None:
            raise SettingMissingError(
                f"no embedding model in {', '.join(map(str, candidates))}: add the embedding layer"
            )
        return found


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingMissingError(f"{name} is not set: the stack that makes this function must pass it")
    return value


def _json(name: str, kind: type[_Kind], *, default: str) -> _Kind:
    try:
        return msgspec.json.decode(os.environ.get(name) or default, type=kind)
    except msgspec.DecodeError as error:
        raise SettingMissingError(f"{name} is malformed: {error}") from error
