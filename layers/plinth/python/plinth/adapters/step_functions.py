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


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineArns:
    """The machines that a function may start. An import has at most `imports_at_once` files on their way at once."""

    answer: str | None = None
    ingest: str | None = None
    imports: str | None = None
    imports_at_once: int = 1
    erase: str | None = None
    forget: str | None = None
    export: str | None = None


class StepFunctions:
    """`Machines` by their ARNs."""

    def __init__(self, arns: MachineArns, *, client: "SFNClient") -> None:
        self._arns = arns
        self._client = client

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        """Start the answer machine with the input {"run": ...}."""
        name = f"{run.id}-{run.epoch}" + (f"-{again}" if again else "")
        self._start(machine or self._arns.answer, name=name, subject={"run": run})

    def start_ingest(self, document: DocumentVersion) -> None:
        """Start the ingest machine with the input {"document": ...}; a try after another has a name of its own."""
        name = _version_name(document) + (f"-{document.attempt + 1}" if document.attempt else "")
        self._start(self._arns.ingest, name=name, subject={"document": document})

    def start_import(self, batch: Batch, *, manifest: str, tolerated: int) -> None:
        """Start the import machine with what its Map reads."""
        subject = {
            "batch": batch,
            "manifest": manifest,
            "at_once": self._arns.imports_at_once,
            "tolerated_failure_percentage": tolerated,
        }
        self._start(self._arns.imports, name=f"{batch.import_id}-{batch.attempt}", subject=subject)

    def start_erase(self, document: DocumentVersion) -> None:
        """Start the erase machine with the input {"document": ...}."""
        self._start(self._arns.erase, name=_version_name(document), subject={"document": document})

    def start_forget(self, erasure: Erasure) -> None:
        """Start the machine of erasures with the input {"erasure_id": ...}."""
        self._start(self._arns.forget, name=f"{erasure.id}-{erasure.turn}", subject={"erasure_id": erasure.id})

    def start_export(self, job: ExportJob) -> None:
        """Start the machine of exports with the input {"job": ...}."""
        self._start(self._arns.export, name=job.id, subject={"job": job})

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
