"""Where ports meet adapters: each service is made on first use, from the settings that it needs and no others.

Imports stand inside the properties on purpose: a step pays at cold start only for what it uses.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from plinth.adapters.meter import Meter
from plinth.chain.catalogue import Provider
from plinth.errors import ModelNotConfiguredError
from plinth.ports.access import Limits, TenantList, Tenants
from plinth.ports.clock import Clock
from plinth.ports.documents import DeadLetters, DocumentParser, Documents, Memory, SourceObjects, WorkObjects
from plinth.ports.facts import Facts
from plinth.ports.importing import Imports, StagedFiles
from plinth.ports.machines import Machines
from plinth.ports.models import Breakers, Callbacks, Embedder, Inferences, LanguageModel, PendingInferences, Reranker
from plinth.ports.money import Ledger
from plinth.ports.runs import AnswerCache, Conversations, Executions, Exports, RunLog, Runs, UsageBook
from plinth.ports.web import Web
from plinth.settings import SettingMissingError, Settings
from plinth.wiring.erasing import ErasureServices
from plinth.wiring.language_models import language_model_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from plinth.adapters.dynamo_rows import Rows
    from plinth.adapters.dynamodb_table import Table

MAX_DOCUMENT_BYTES = 50 * 1024 * 1024


class Services:
    """Everything that a function may need. A test assigns a fake to the property that it replaces."""

    @cached_property
    def settings(self) -> Settings:
        """The function's environment."""
        return Settings()

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        from plinth.adapters.system_clock import SystemClock

        return SystemClock()

    @cached_property
    def meter(self) -> Meter:
        """What this process has used."""
        return Meter()

    @cached_property
    def tenants(self) -> Tenants:
        """Keys, tenants and tiers."""
        from plinth.adapters.dynamo_tenants import DynamoTenants

        return DynamoTenants(table=self._table(self.settings.tenants_table))

    @cached_property
    def tenant_list(self) -> TenantList:
        """Every tenant."""
        from plinth.adapters.dynamo_tenants import DynamoTenants

        return DynamoTenants(table=self._table(self.settings.tenants_table))

    @cached_property
    def exports(self) -> Exports:
        """The bucket of exports."""
        from plinth.adapters.s3_exports import S3Exports

        return S3Exports(client=self._s3, bucket=self.settings.exports_bucket)

    @cached_property
    def limits(self) -> Limits:
        """What tenants may take at once."""
        from plinth.adapters.dynamo_limits import DynamoLimits
        from plinth.adapters.dynamo_running import DynamoRunning

        table, capacity = self._table(self.settings.tenants_table), self.settings.run_capacity
        running = DynamoRunning(table=table, clock=self.clock, capacity=capacity) if capacity else None
        return DynamoLimits(table=table, clock=self.clock, running=running)

    @cached_property
    def ledger(self) -> Ledger:
        """The budgets."""
        from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
        from plinth.adapters.ledger_over_rows import CONFLICT_SECONDS, LedgerOverRows

        table = self._table(self.settings.ledger_table, conflict_seconds=CONFLICT_SECONDS)
        return LedgerOverRows(DynamoLedgerRows(table=table), clock=self.clock)

    @cached_property
    def runs(self) -> Runs:
        """The rows of runs."""
        from plinth.adapters.dynamo_runs import DynamoRuns

        return DynamoRuns(table=self._table(self.settings.runs_table), clock=self.clock)

    @cached_property
    def executions(self) -> Executions:
        """Who works on which run."""
        from plinth.adapters.dynamo_executions import DynamoExecutions

        return DynamoExecutions(table=self._table(self.settings.runs_table), runs=self.runs, clock=self.clock)

    @cached_property
    def run_log(self) -> RunLog:
        """The logs of runs."""
        from plinth.adapters.dynamo_run_log import DynamoRunLog

        return DynamoRunLog(table=self._table(self.settings.runs_table), clock=self.clock)

    @cached_property
    def side_log(self) -> RunLog:
        """The logs of runs, for a word that is not worth waiting for."""
        import boto3

        from plinth.adapters.aws_calls import BRIEF_CALLS
        from plinth.adapters.dynamo_run_log import DynamoRunLog

        table = self._table(self.settings.runs_table, client=boto3.client("dynamodb", config=BRIEF_CALLS))
        return DynamoRunLog(table=table, clock=self.clock)

    @cached_property
    def usage(self) -> UsageBook:
        """What users used."""
        from plinth.adapters.dynamo_usage import DynamoUsage

        return DynamoUsage(table=self._table(self.settings.runs_table))

    @cached_property
    def breakers(self) -> Breakers:
        """The circuit breakers of the models."""
        from plinth.adapters.dynamo_breakers import DynamoBreakers

        return DynamoBreakers(table=self._table(self.settings.runs_table), clock=self.clock)

    @cached_property
    def conversations(self) -> Conversations:
        """What was said before."""
        from plinth.adapters.dynamo_conversations import DynamoConversations

        table = self._table(self.settings.conversations_table)
        return DynamoConversations(table=table, rows=self._rows(table.name), clock=self.clock)

    @cached_property
    def facts(self) -> Facts:
        """What is worth remembering of users; the embedder is made for those who keep or compare."""
        from plinth.adapters.dynamo_facts import DynamoFacts

        table = self._table(self.settings.conversations_table)
        return DynamoFacts(table=table, rows=self._rows(table.name), clock=self.clock, embedder=lambda: self.embedder)

    @cached_property
    def answers(self) -> AnswerCache:
        """Answers that may be given again."""
        from plinth.adapters.dynamo_answers import DynamoAnswers

        return DynamoAnswers(table=self._table(self.settings.answers_table), clock=self.clock)

    @cached_property
    def documents(self) -> Documents:
        """The rows of documents."""
        from plinth.adapters.dynamo_documents import DynamoDocuments

        return DynamoDocuments(table=self._table(self.settings.documents_table), clock=self.clock)

    @cached_property
    def sources(self) -> SourceObjects:
        """The bucket that documents arrive in."""
        from plinth.adapters.s3_documents import S3Documents

        return S3Documents(client=self._s3, bucket=self.settings.documents_bucket, max_bytes=MAX_DOCUMENT_BYTES)

    @cached_property
    def imports(self) -> Imports:
        """The rows of imports."""
        from plinth.adapters.dynamo_imports import DynamoImports

        return DynamoImports(table=self._table(self.settings.documents_table), clock=self.clock)

    @cached_property
    def staged_files(self) -> StagedFiles:
        """The files that wait for their import."""
        from plinth.adapters.s3_staging import S3Staging

        return S3Staging(
            client=self._s3, bucket=self.settings.work_bucket, documents_bucket=self.settings.documents_bucket
        )

    @cached_property
    def work(self) -> WorkObjects:
        """The bucket of what ingest steps hand on."""
        from plinth.adapters.s3_work import S3Work

        return S3Work(client=self._s3, bucket=self.settings.work_bucket)

    @cached_property
    def parser(self) -> DocumentParser:
        """The reader of untrusted files."""
        from plinth.adapters.child_process_parser import ChildProcessParser

        return ChildProcessParser()

    @cached_property
    def page_parser(self) -> DocumentParser:
        """The reader of untrusted pages, for which somebody waits."""
        from plinth.adapters.child_process_parser import ChildProcessParser

        return ChildProcessParser(timeout_seconds=8.0)

    @cached_property
    def web(self) -> Web:
        """The public web."""
        from plinth.adapters.checked_web import CheckedWeb

        return CheckedWeb()

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """The queue of documents that could not be ingested."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.sqs_dead_letters import SqsDeadLetters

        return SqsDeadLetters(client=boto3.client("sqs", config=CALLS), queue_url=self.settings.dead_letter_queue_url)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model."""
        from plinth.wiring.searching import make_embedder

        return make_embedder(self.settings)

    @cached_property
    def reranker(self) -> Reranker:
        """The cross-encoder on its endpoint."""
        from plinth.wiring.searching import make_reranker

        return make_reranker(self.settings)

    @cached_property
    def memory(self) -> Memory:
        """The search engine."""
        from plinth.wiring.searching import make_memory

        return make_memory(self.settings)

    @cached_property
    def machines(self) -> Machines:
        """The state machines that this function was given."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.step_functions import Importing, StepFunctions

        arn = self.settings.import_machine_arn
        return StepFunctions(
            client=boto3.client("stepfunctions", config=CALLS),
            answer_arn=self.settings.answer_machine_arn,
            ingest_arn=self.settings.ingest_machine_arn,
            erase_arn=self.settings.erase_machine_arn,
            forget_arn=self.settings.forget_machine_arn,
        ).importing(Importing(arn=arn, at_once=self.settings.imports_at_once) if arn else None)

    @cached_property
    def inferences(self) -> Inferences:
        """The queue of the asynchronous endpoint."""
        import boto3

        from plinth.adapters.sagemaker_inferences import QUEUE_CALLS, SageMakerInferences

        return SageMakerInferences(
            self.settings.async_endpoint,
            client=boto3.client("sagemaker-runtime", config=QUEUE_CALLS),
            s3=self._s3,
            bucket=self.settings.work_bucket,
        )

    @cached_property
    def pending_inferences(self) -> PendingInferences:
        """Who waits for which inference."""
        from plinth.adapters.dynamo_pending_inferences import DynamoPendingInferences

        return DynamoPendingInferences(table=self._table(self.settings.inferences_table), clock=self.clock)

    @cached_property
    def callbacks(self) -> Callbacks:
        """The states that wait for their task token."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.step_functions_callbacks import StepFunctionsCallbacks

        return StepFunctionsCallbacks(client=boto3.client("stepfunctions", config=CALLS))

    @cached_property
    def erasing(self) -> ErasureServices:
        """What erasures need."""
        return ErasureServices(
            self.settings, meter=self.meter, documents=lambda: self.documents, memory=lambda: self.memory
        )

    def language_model(self, provider: Provider) -> LanguageModel:
        """Return the adapter of a provider, or raise `ModelNotConfiguredError` where the environment has none.

        Only the function that calls models imports a model SDK.
        """
        if provider not in self._models:
            try:
                self._models[provider] = language_model_of(provider, self.settings)
            except SettingMissingError as error:
                raise ModelNotConfiguredError(f"no model of {provider} in this environment: {error}") from error
        return self._models[provider]

    @cached_property
    def _models(self) -> dict[Provider, LanguageModel]:
        return {}

    @cached_property
    def _s3(self) -> "S3Client":
        import boto3

        from plinth.adapters.aws_calls import S3_CALLS

        return boto3.client("s3", config=S3_CALLS)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        import boto3

        from plinth.adapters.aws_calls import CALLS

        return boto3.client("dynamodb", config=CALLS)

    def _rows(self, name: str) -> "Rows":
        from plinth.adapters.dynamo_rows import Rows

        return Rows(client=self._dynamodb, name=name)

    def _table(self, name: str, *, conflict_seconds: float = 2.0, client: "DynamoDBClient | None" = None) -> "Table":
        from plinth.adapters.dynamodb_table import Table

        return Table(client=client or self._dynamodb, name=name, conflict_seconds=conflict_seconds, meter=self.meter)
