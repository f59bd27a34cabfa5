"""What exports need: their rows, the stores that they are collected from, and where their files lie."""

from functools import cached_property
from typing import TYPE_CHECKING

from plinth.ports.exporting import ExportableStore, ExportFiles, ExportJobs
from plinth.wiring.stores import StoreServices

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from plinth.adapters.dynamo_rows import Rows
    from plinth.adapters.dynamodb_table import Table
    from plinth.adapters.exportable_rows import Rule


class ExportServices:
    """The services of exports, each made on first use. A test assigns a fake to the property that it replaces."""

    def __init__(self, services: StoreServices) -> None:
        self._services = services
        self._settings = services.settings

    @cached_property
    def jobs(self) -> ExportJobs:
        """The rows of exports."""
        from plinth.adapters.dynamo_export_jobs import DynamoExportJobs

        return DynamoExportJobs(table=self._table(self._settings.tenants_table), clock=self._services.clock)

    @cached_property
    def files(self) -> ExportFiles:
        """The files of exports."""
        from plinth.adapters.s3_export_files import S3ExportFiles

        return S3ExportFiles(client=self._s3, bucket=self._settings.exports_bucket)

    @cached_property
    def stores(self) -> tuple[ExportableStore, ...]:
        """The stores that an export goes through, in this order."""
        from plinth.adapters import exportable_rows as rules
        from plinth.adapters.exportable_runs import ExportableRuns
        from plinth.adapters.exportable_sources import ExportableSources

        services, settings = self._services, self._settings
        rows = self._rows(settings.runs_table)
        bucket = settings.documents_bucket
        return (
            self._ruled("tenants", settings.tenants_table, rules.tenant_record),
            self._ruled("documents", settings.documents_table, rules.document_record),
            ExportableSources(client=self._s3, bucket=bucket, documents=services.documents),
            self._ruled("conversations", settings.conversations_table, rules.conversation_record),
            ExportableRuns(rows=rows, runs=services.runs, log=services.run_log),
            self._ruled("ledger", settings.ledger_table, rules.budget_record),
        )

    def _ruled(self, name: str, table: str, rule: "Rule") -> ExportableStore:
        from plinth.adapters.exportable_rows import ExportableTable

        return ExportableTable(name, rows=self._rows(table), rule=rule, clock=self._services.clock)

    def _rows(self, name: str) -> "Rows":
        from plinth.adapters.dynamo_rows import Rows

        return Rows(client=self._dynamodb, name=name)

    def _table(self, name: str) -> "Table":
        from plinth.adapters.dynamodb_table import Table

        return Table(client=self._dynamodb, name=name, meter=self._services.meter)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        import boto3

        from plinth.adapters.aws_calls import CALLS

        return boto3.client("dynamodb", config=CALLS)

    @cached_property
    def _s3(self) -> "S3Client":
        import boto3

        from plinth.adapters.aws_calls import S3_CALLS

        return boto3.client("s3", config=S3_CALLS)
