"""The stores of a function: tables and buckets, each made on first use."""

from functools import cached_property
from typing import TYPE_CHECKING

from plinth.adapters.meter import Meter
from plinth.ports.access import Limits, TenantList, Tenants
from plinth.ports.approvals import Approvals
from plinth.ports.clock import Clock
from plinth.ports.documents import Documents, SourceObjects, WorkObjects
from plinth.ports.importing import Imports, StagedFiles
from plinth.ports.models import Breakers
from plinth.ports.money import Ledger
from plinth.ports.runs import AnswerCache, Conversations, Executions, Exports, RunLog, Runs, UsageBook
from plinth.ports.syncs import Passes, SyncedObjects, Syncs
from plinth.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from plinth.adapters.dynamo_rows import Rows
    from plinth.adapters.dynamodb_table import Table

MAX_DOCUMENT_BYTES = 50 * 1024 * 1024


class StoreServices:
    """What is kept in tables and buckets, and the settings, the clock and the meter that go with it."""

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
    def approvals(self) -> Approvals:
        """What runs ask a person."""
        from plinth.adapters.dynamo_approvals import DynamoApprovals
        from plinth.adapters.dynamo_run_log import DynamoRunLog

        table = self._table(self.settings.runs_table)
        return DynamoApprovals(table=table, log=DynamoRunLog(table=table, clock=self.clock), clock=self.clock)

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
    def answers(self) -> AnswerCache:
        """Answers that may be given again."""
        from plinth.adapters.dynamo_answers import DynamoAnswers

        return DynamoAnswers(table=self._table(self.settings.answers_table), clock=self.clock)

    @cached_property
    def documents(self) -> Documents:
        """The rows of documents."""
        from plinth.adapters.dynamo_documents import DynamoDocuments
        from plinth.wiring.searching import newest_index

        table, first = self._table(self.settings.documents_table), str(newest_index(self.settings))
        return DynamoDocuments(table=table, clock=self.clock, first_index=first)

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
    def syncs(self) -> Syncs:
        """The rows of syncs."""
        from plinth.adapters.dynamo_syncs import DynamoSyncs

        return DynamoSyncs(table=self._table(self.settings.documents_table), clock=self.clock)

    @cached_property
    def synced_objects(self) -> SyncedObjects:
        """The objects of other buckets."""
        from plinth.adapters.s3_synced_objects import S3SyncedObjects

        return S3SyncedObjects(client=self._s3, documents_bucket=self.settings.documents_bucket)

    @cached_property
    def passes(self) -> Passes:
        """What begins a pass of a sync."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.lambda_passes import LambdaPasses

        return LambdaPasses(client=boto3.client("lambda", config=CALLS), function=self.settings.sync_function)

    @cached_property
    def work(self) -> WorkObjects:
        """The bucket of what ingest steps hand on."""
        from plinth.adapters.s3_work import S3Work

        return S3Work(client=self._s3, bucket=self.settings.work_bucket)

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
