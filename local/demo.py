"""What a first run shows: the stack up, the sample documents ingested by the event path, and one question answered.

`python -m local.demo`, which `make run` calls. A second run uploads nothing that has not changed.
"""

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.progress import Progress

from client import following
from client.api import PlinthApi, Question
from client.commands import reported
from client.commands.asking import Screen, show
from client.commands.choices import output, progress
from client.commands.stack import places, start
from client.display import plain
from client.environments import Environment, environment_named
from client.uploading import SourceFile, patiently, source_files, wait_for_documents
from local.places import REPOSITORY
from local.records import StackInfo
from plinth.contracts.memory import DocumentRecord, DocumentState
from plinth.contracts.tenant import Tenant
from plinth.memory.naming import document_id

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SAMPLES = REPOSITORY / "samples"
_TENANT = "demo"
_INGEST_SECONDS = 900.0


class _SampleQuestion(msgspec.Struct):
    question: str


def main() -> int:
    """Bring everything up, show one answer, and say where things are; the exit code is 1 if the run failed."""
    info = start(progress())
    environment = environment_named("local")
    with environment.api() as api:
        _ingest(environment, api)
        done = _ask(api)
    _say_where(info)
    return 0 if done else 1


def _ingest(environment: Environment, api: PlinthApi) -> None:
    """Put what has changed into the bucket, and wait until events have carried it into memory."""
    bucket, s3 = environment.output("DocumentsBucket"), environment.aws.s3()
    with Progress(console=progress()) as bar:
        known = {each.name: each for each in patiently(lambda: list(api.documents()))}
        task = bar.add_task("uploading the sample documents", total=None)
        changed = [
            file for file in source_files([_SAMPLES / "documents"]) if _put(s3, bucket, file, known.get(file.name))
        ]
        bar.update(task, total=1, completed=1)
        if not changed:
            return
        task = bar.add_task("reading and indexing", total=len(changed))
        waiting = [known.get(file.name) or _unknown(file) for file in changed]
        for document in wait_for_documents(api, waiting, timeout_seconds=_INGEST_SECONDS):
            bar.advance(task)
            if document.state is DocumentState.REFUSED:
                bar.console.print(f"refused: {document.name}: {document.message}", markup=False)


def _unknown(file: SourceFile) -> DocumentRecord:
    """Return the document that a put will make: its id is the one that ingestion derives from tenant and name."""
    return DocumentRecord(
        document_id=document_id(Tenant(id=_TENANT), file.name),
        name=file.name,
        state=DocumentState.AWAITING_UPLOAD,
        updated_at=0.0,
    )


def _put(s3: "S3Client", bucket: str, file: SourceFile, known: DocumentRecord | None) -> bool:
    """Put the file unless it is searchable and has not changed since; return whether it was put."""
    content = file.path.read_bytes()
    if known and known.state is DocumentState.READY and known.content_sha256 == hashlib.sha256(content).hexdigest():
        return False
    s3.put_object(Bucket=bucket, Key=f"{_TENANT}/{file.name}", Body=content)
    return True


def _ask(api: PlinthApi) -> bool:
    samples = msgspec.json.decode((_SAMPLES / "questions.json").read_bytes(), type=list[_SampleQuestion])
    question, console = samples[0].question, output()
    console.print(f"\n> {plain(question)}\n", markup=False, soft_wrap=True)
    with Screen(console, streams=True) as screen:
        run = following.ask(api, Question(question=question), hear=screen.hear)
    show(run, console, streamed=True)
    return run.is_done


def _say_where(info: StackInfo) -> None:
    console = output()
    console.print("")
    for line in places(info):
        console.print(line, markup=False, soft_wrap=True)
    plinth = Path(sys.executable).with_name("plinth")
    console.print(f'\nask more: {plinth} ask "..."    stop: make stop', markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(reported(main))
