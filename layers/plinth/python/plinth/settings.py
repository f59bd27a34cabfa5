"""Which environment variables a function reads: each typed, read on first use, named in the error if it is missing."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from plinth.contracts.indexes import IndexSettings, SearchModel
from plinth.contracts.retrieval import Retrieval
from plinth.errors import SettingMissingError
from plinth.sync_settings import SyncSettings, required

SearchAuth = Literal["none", "es", "aoss"]
AnthropicAccess = Literal["key", "aws"]
_Kind = TypeVar("_Kind")


class Settings(SyncSettings):
    """Typed environment variables. A function needs only those that it reads."""

    @cached_property
    def environment(self) -> str:
        """Environment name (local, dev, prod ...), part of every API key."""
        return required("PLINTH_ENVIRONMENT")

    @cached_property
    def tenants_table(self) -> str:
        """Table of tenants, keys, tiers and rate limits."""
        return required("PLINTH_TENANTS_TABLE")

    @cached_property
    def run_capacity(self) -> int | None:
        """How many runs may run at once before low priorities are turned away; unset, nobody is."""
        return int(os.environ.get("PLINTH_RUN_CAPACITY") or 0) or None

    @cached_property
    def ledger_table(self) -> str:
        """Table of budgets and reservations."""
        return required("PLINTH_LEDGER_TABLE")

    @cached_property
    def runs_table(self) -> str:
        """Table of runs and their logs."""
        return required("PLINTH_RUNS_TABLE")

    @cached_property
    def conversations_table(self) -> str:
        """Table of conversation turns."""
        return required("PLINTH_CONVERSATIONS_TABLE")

    @cached_property
    def documents_table(self) -> str:
        """Table of document rows and corpus versions."""
        return required("PLINTH_DOCUMENTS_TABLE")

    @cached_property
    def answers_table(self) -> str:
        """Table of cached answers."""
        return required("PLINTH_ANSWERS_TABLE")

    @cached_property
    def documents_bucket(self) -> str:
        """Bucket that documents arrive in, under `<tenant>/<name>`."""
        return required("PLINTH_DOCUMENTS_BUCKET")

    @cached_property
    def work_bucket(self) -> str:
        """Bucket of what ingest steps hand on; its objects expire."""
        return required("PLINTH_WORK_BUCKET")

    @cached_property
    def exports_bucket(self) -> str:
        """Bucket of the monthly usage files, and of exports."""
        return required("PLINTH_EXPORTS_BUCKET")

    @cached_property
    def dead_letter_queue_url(self) -> str:
        """Queue of documents that could not be ingested."""
        return required("PLINTH_DEAD_LETTER_QUEUE_URL")

    @cached_property
    def opensearch_url(self) -> str:
        """Base URL of the search engine."""
        return required("PLINTH_OPENSEARCH_URL")

    @cached_property
    def opensearch_auth(self) -> SearchAuth:
        """How requests to the search engine are signed: `none`, `es` (domain) or `aoss` (serverless)."""
        match required("PLINTH_OPENSEARCH_AUTH"):
            case "none" | "es" | "aoss" as auth:
                return auth
            case other:
                raise SettingMissingError(f"PLINTH_OPENSEARCH_AUTH is {other!r}: use none, es or aoss")

    @cached_property
    def answer_machine_arn(self) -> str | None:
        """ARN of the answer machine, for a function that may start it."""
        return os.environ.get("PLINTH_ANSWER_MACHINE_ARN")

    @cached_property
    def ingest_machine_arn(self) -> str | None:
        """ARN of the ingest machine, for a function that may start it."""
        return os.environ.get("PLINTH_INGEST_MACHINE_ARN")

    @cached_property
    def erase_machine_arn(self) -> str | None:
        """ARN of the erase machine, for a function that may start it."""
        return os.environ.get("PLINTH_ERASE_MACHINE_ARN")

    @cached_property
    def forget_machine_arn(self) -> str | None:
        """ARN of the machine of erasures, for a function that may start it."""
        return os.environ.get("PLINTH_FORGET_MACHINE_ARN")

    @cached_property
    def export_machine_arn(self) -> str | None:
        """ARN of the machine of exports, for a function that may start it."""
        return os.environ.get("PLINTH_EXPORT_MACHINE_ARN")

    @cached_property
    def erase_settle_seconds(self) -> float:
        """How long after an erasure began something from before it may still be written: its last pass is later."""
        return float(required("PLINTH_ERASE_SETTLE_SECONDS"))

    @cached_property
    def receipts_key_id(self) -> str:
        """KMS key that signs receipts of erasures."""
        return required("PLINTH_RECEIPTS_KEY_ID")

    @cached_property
    def failed_erasures_queue_url(self) -> str:
        """Queue of erasures that could not be finished."""
        return required("PLINTH_FAILED_ERASURES_QUEUE_URL")

    @cached_property
    def import_machine_arn(self) -> str | None:
        """ARN of the import machine, for a function that may start it."""
        return os.environ.get("PLINTH_IMPORT_MACHINE_ARN")

    @cached_property
    def imports_at_once(self) -> int:
        """How many files of one import are on their way at once."""
        return int(required("PLINTH_IMPORTS_AT_ONCE"))

    @cached_property
    def reindex_grace_seconds(self) -> float:
        """How long an index is kept after the last function that began in it may have read or written it."""
        return float(required("PLINTH_REINDEX_GRACE_SECONDS"))

    @cached_property
    def default_model(self) -> str:
        """Catalogue id of the model that answers where the caller names none."""
        return required("PLINTH_DEFAULT_MODEL")

    @cached_property
    def catalogue_file(self) -> Path | None:
        """File that replaces the packaged catalogue of models, on a laptop that tries other ones."""
        name = os.environ.get("PLINTH_CATALOGUE")
        return Path(name) if name else None

    @cached_property
    def model_endpoint(self) -> str:
        """Name of the SageMaker endpoint of the self-hosted model."""
        return required("PLINTH_MODEL_ENDPOINT")

    @cached_property
    def model_component(self) -> str | None:
        """Name of the endpoint's inference component, for an endpoint that has any."""
        return os.environ.get("PLINTH_MODEL_COMPONENT")

    @cached_property
    def model_endpoint_url(self) -> str:
        """Base URL of the endpoint's OpenAI route. AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME replaces its host on a laptop."""
        own_host = os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME")
        host = own_host or f"https://runtime.sagemaker.{self.region}.amazonaws.com"
        component = f"/inference-components/{self.model_component}" if self.model_component else ""
        return f"{host}/endpoints/{self.model_endpoint}{component}/openai/v1"

    @cached_property
    def region(self) -> str:
        """AWS region, which Lambda sets."""
        return required("AWS_REGION")

    @cached_property
    def openai_secret_arn(self) -> str:
        """ARN of the secret that holds the OpenAI API key."""
        return required("PLINTH_OPENAI_SECRET_ARN")

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

    @cached_property
    def anthropic_workspace(self) -> str:
        """Id of the workspace of Claude Platform on AWS."""
        return required("PLINTH_ANTHROPIC_WORKSPACE")

    @cached_property
    def anthropic_secret_arn(self) -> str:
        """ARN of the secret that holds the Anthropic API key."""
        return required("PLINTH_ANTHROPIC_SECRET_ARN")

    @cached_property
    def async_endpoint(self) -> str:
        """Name of the asynchronous SageMaker endpoint."""
        return required("PLINTH_ASYNC_ENDPOINT")

    @cached_property
    def inferences_table(self) -> str:
        """Table of who waits for which inference."""
        return required("PLINTH_INFERENCES_TABLE")

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

    @cached_property
    def rerank_endpoint(self) -> str:
        """Name of the SageMaker endpoint of the reranker."""
        return required("PLINTH_RERANK_ENDPOINT")

    @cached_property
    def embedding_endpoint(self) -> str | None:
        """Name of the SageMaker endpoint that makes vectors, where the functions don't make them themselves."""
        return os.environ.get("PLINTH_EMBEDDING_ENDPOINT")

    @cached_property
    def embedding_model(self) -> str:
        """The model of that endpoint."""
        return required("PLINTH_EMBEDDING_MODEL")

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


def _json(name: str, kind: type[_Kind], *, default: str) -> _Kind:
    try:
        return msgspec.json.decode(os.environ.get(name) or default, type=kind)
    except msgspec.DecodeError as error:
        raise SettingMissingError(f"{name} is malformed: {error}") from error
