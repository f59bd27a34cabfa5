"""What erasures need: their rows, the stores that each step goes through, and who signs and who is told."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from plinth.adapters.meter import Meter
from plinth.ports.documents import Documents, Memories
from plinth.ports.erasing import ErasableStore, Erasures, FailedErasures, ReceiptSigner
from plinth.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from plinth.adapters.dynamodb_table import Table
    from plinth.adapters.erasable_rows import Rule

Stores = tuple[ErasableStore, ...]


class ErasureServices:
    """The services of erasures, each made on first use. A test assigns a fake to the property that it replaces."""

    def __init__(
        self,
        settings: Settings,
        *,
        meter: Meter,
        documents: Callable[[], Documents],
        memory: Callable[[], Memories],
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._documents = documents
        self._memory = memory

    @cached_property
    def erasures(self) -> Erasures:
        """The rows of erasures."""
        from plinth.adapters.dynamo_erasures import DynamoErasures

        return DynamoErasures(table=self._table(self._settings.tenants_table))

    @cached_property
    def signer(self) -> ReceiptSigner:
        """Who signs receipts."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.kms_signer import KmsSigner

        return KmsSigner(client=boto3.client("kms", config=CALLS), key_id=self._settings.receipts_key_id)

    @cached_property
    def failed(self) -> FailedErasures:
        """Who is told of erasures that failed."""
        import boto3

        from plinth.adapters.aws_calls import CALLS
        from plinth.adapters.sqs_failed_erasures import SqsFailedErasures

        queue_url = self._settings.failed_erasures_queue_url
        return SqsFailedErasures(client=boto3.client("sqs", config=CALLS), queue_url=queue_url)

    @cached_property
    def objects(self) -> Stores:
        """The buckets that an erasure goes through."""
        import boto3

        from plinth.adapters.aws_calls import S3_CALLS
        from plinth.adapters.erasable_objects import ErasableExports, ErasableSources, ErasableWork, VersionedBucket

        client, settings = boto3.client("s3", config=S3_CALLS), self._settings
        sources, work, exports = (
            VersionedBucket(client=client, bucket=name)
            for name in (settings.documents_bucket, settings.work_bucket, settings.exports_bucket)
        )
        return ErasableSources(sources), ErasableWork(work, self._documents()), ErasableExports(exports)

    @cached_property
    def index(self) -> Stores:
        """The search engine that an erasure goes through."""
        from plinth.adapters.erasable_index import ErasableIndex

        return (ErasableIndex(self._memory(), self._documents()),)

    @cached_property
    def rows(self) -> Stores:
        """The tables: conversations before runs, so that no run begun meanwhile reads what is about to go.

        The tenants' own is last: with a tenant's row goes the mark that hides it.
        """
        from plinth.adapters import erasable_rows as rules
        from plinth.adapters.dynamo_rows import Rows
        from plinth.adapters.erasable_runs import ErasableRuns

        settings = self._settings
        runs = ErasableRuns(
            table=self._table(settings.runs_table), rows=Rows(client=self._dynamodb, name=settings.runs_table)
        )
        return (
            self._ruled("conversations", settings.conversations_table, rules.conversation_fate),
            self._ruled("answers", settings.answers_table, rules.answer_fate),
            runs,
            self._ruled("ledger", settings.ledger_table, rules.ledger_fate),
            self._ruled("documents", settings.documents_table, rules.document_fate),
            self._ruled("tenants", settings.tenants_table, rules.tenant_fate),
        )

    def _ruled(self, name: str, table: str, rule: "Rule") -> ErasableStore:
        from plinth.adapters.dynamo_rows import Rows
        from plinth.adapters.erasable_rows import ErasableTable

        return ErasableTable(name, rows=Rows(client=self._dynamodb, name=table), rule=rule)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        import boto3

        from plinth.adapters.aws_calls import CALLS

        return boto3.client("dynamodb", config=CALLS)

    def _table(self, name: str) -> "Table":
        from plinth.adapters.dynamodb_table import Table

        return Table(client=self._dynamodb, name=name, meter=self._meter)
