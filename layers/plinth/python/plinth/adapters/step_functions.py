"""What an execution is called: a name from what it works on, so that Standard machines drop a second start.

Express machines never deduplicate on AWS; there ClaimRun decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from plinth.adapters.aws_calls import error_code, store_errors
from plinth.contracts.erasing import Erasure
from plinth.contracts.exporting import ExportJob
from plinth.contracts.importing import Batch
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.runs import Run

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True, kw_only=True)
class Importing:
    """The import machine, and how many files it has on their way at once."""

    arn: str
    at_once: int


class StepFunctions:
    """`Machines` by their ARNs; a function that starts only some of them leaves the other ARNs out."""

    def __init__(
        self,
        *,
        client: "SFNClient",
        answer_arn: str | None = None,
        ingest_arn: str | None = None,
        erase_arn: str | None = None,
        forget_arn: str | None = None,
    ) -> None:
        self._client = client
        self._answer_arn = answer_arn
        self._ingest_arn = ingest_arn
        self._erase_arn = erase_arn
        self._forget_arn = forget_arn
        self._export_arn: str | None = None
        self._importing: Importing | None = None

    def importing(self, machine: "Importing | None") -> "StepFunctions":
        """Let this one start imports, too."""
        self._importing = machine
        return self

    def exporting(self, arn: str | None) -> "StepFunctions":
        """Let this one start exports, too."""
        self._export_arn = arn
        return self

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        """Start the answer machine with the input {"run": ...}."""
        name = f"{run.id}-{run.epoch}" + (f"-{again}" if again else "")
        self._start(machine or self._answer_arn, name=name, subject={"run": run})

    def start_ingest(self, document: DocumentVersion) -> None:
        """Start the ingest machine with the input {"document": ...}; a try after another has a name of its own."""
        name = _version_name(document) + (f"-{document.attempt + 1}" if document.attempt else "")
        self._start(self._ingest_arn, name=name, subject={"document": document})

    def start_import(self, batch: Batch, *, manifest: str, tolerated: int) -> None:
        """Start the import machine with what its Map reads."""
        subject = {
            "batch": batch,
            "manifest": manifest,
            "at_once": self._importing.at_once if self._importing else 1,
            "tolerated_failure_percentage": tolerated,
        }
        arn = self._importing.arn if self._importing else None
        self._start(arn, name=f"{batch.import_id}-{batch.attempt}", subject=subject)

    def start_erase(self, document: DocumentVersion) -> None:
        """Start the erase machine with the input {"document": ...}."""
        self._start(self._erase_arn, name=_version_name(document), subject={"document": document})

    def start_forget(self, erasure: Erasure) -> None:
        """Start the machine of erasures with the input {"erasure_id": ...}."""
        self._start(self._forget_arn, name=f"{erasure.id}-{erasure.turn}", subject={"erasure_id": erasure.id})

    def start_export(self, job: ExportJob) -> None:
        """Start the machine of exports with the input {"job": ...}."""
        self._start(self._export_arn, name=job.id, subject={"job": job})

    def _start(self, arn: str | None, *, name: str, subject: Mapping[str, object]) -> None:
        if arn is None:
            raise ValueError("this function was not given the ARN of the machine that it starts")
        with store_errors("Step Functions"):
            try:
                self._client.start_execution(
                    stateMachineArn=arn, name=name, input=msgspec.json.encode(subject).decode()
                )
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise


def _version_name(document: DocumentVersion) -> str:
    return f"{document.document_id}-{document.sequence}"
