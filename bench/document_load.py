"""Whether Debian's documentation, 1,600 files, becomes searchable without a loss while the network fails.

The files come by one import into a stack in AWS-strict mode, where events come twice and late. Between its functions
and DynamoDB, Step Functions and SQS stands a proxy that throttles, resets connections, and cuts answers short or off
after the write was made; not before S3, because it drops the length by which a cut object is known. As a person would,
the import is asked for again while files have failed. Costs are those of all that, retries too.
"""

import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx

from bench.debian_packages import unpacked
from bench.failing_network import proxy_before
from bench.figures import Figure, Goal
from bench.own_stack import fresh_stack, keys_of
from bench.platform_cost import Recording, functions_bill, recording_of, short_name
from bench.recording import local_client, recorded
from bench.resident import Peak, peak_of
from client.api import PlinthApi
from client.errors import ClientError
from client.importing import ImportOptions, Listed, import_files, listed
from client.uploading import SourceFile
from local import keeping
from local.models.files import cache_directory
from local.records import StackInfo
from plinth.adapters.opensearch_client import connect
from plinth.adapters.opensearch_requests import MAPPING_VERSION
from plinth.contracts.memory import DocumentRecord, DocumentState

FILES = 1_600
_PACKAGES = ("postgresql-doc-15", "python3.11-doc")
_TRIES = 4
_FAULTS: Sequence[dict[str, Any]] = [
    {"service": "dynamodb", "probability": 0.01, "error": {"code": "ProvisionedThroughputExceededException"}},
    {"service": "states", "probability": 0.01, "error": {"code": "ThrottlingException"}},
    {"probability": 0.01, "response": {"abort_bytes": 0}},
    {"probability": 0.005, "response": {"truncate_frac": 0.5}},
    {"probability": 0.01, "reset": True},
]
_TRANSITION_USD, _S3_WRITE_USD, _S3_READ_USD = 25e-6, 5e-6, 0.4e-6
"""Of Standard machines and of S3's requests, us-east-1, from memory."""
_S3_WRITES, _S3_READS = 6, 6
"""Of one file, counted in the code: staged and placed; its text, passages and vectors; what each step reads of them."""
_IMPORT_TRANSITIONS = 7
"""Of one file's execution beside its document's: start, PlaceDocument to Searchable, end."""
_SAMPLED_EXECUTIONS = 50
_FIELDS = ["position", "generation"]


@dataclass(frozen=True, kw_only=True)
class Faced:
    """How many requests the functions made, and how many of them failed on the way."""

    by_service: Counter[str]
    faults: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of the files: how long it took, what it used, and which are not searchable exactly once."""

    seconds: float
    asked: int
    documents: Mapping[str, DocumentRecord]
    wrong: Sequence[str]
    waits: Sequence[float]
    lines: Mapping[str, float]
    faced: Faced
    peak: Peak


def measure(*, large: bool) -> list[Figure]:
    """Return one figure: seconds from each object in S3 to its document being searchable."""
    del large
    files = corpus(FILES)
    return [_figure(files, load(files))]


def load(files: Sequence[Listed]) -> Loaded:
    """Pour the files into a stack of their own."""
    with ExitStack() as opened:
        unsigned = {"PLINTH_ENFORCE_ROLES": "0"}  # the proxies change what a signature covers
        info, home = opened.enter_context(fresh_stack(strict=True, variables=unsigned))
        key = keys_of(home)[0].key
        api = opened.enter_context(PlinthApi(info.api_url, key=key))
        proxy_url = opened.enter_context(proxy_before(info.cloud_url))
        httpx.post(f"{proxy_url}/_microburst/rules", json=_FAULTS).raise_for_status()
        recorder = opened.enter_context(recorded(info.cloud_url, named=short_name, proxy_url=proxy_url))
        peak = opened.enter_context(peak_of(keeping.supervisor_pid(home) or os.getpid()))
        began = time.time()
        asked = _import_all(api, files)
        seconds = time.time() - began
        units, faced = dict(recorder.units), _faced(proxy_url)
        httpx.post(f"{proxy_url}/_microburst/rules", json=[]).raise_for_status()
        used = recording_of(info.cloud_url, units, runs=len(files), began=int(began * 1000), stacks=("ingest", "api"))
        documents = {each.name: each for each in api.documents()}
        return Loaded(
            seconds=seconds,
            asked=asked,
            documents=documents,
            wrong=[each.file.name for each in files if not _is_once(documents.get(each.file.name), info)],
            waits=sorted(_waits(documents, info)),
            lines=_bill(used, info),
            faced=faced,
            peak=peak,
        )


def _figure(files: Sequence[Listed], loaded: Loaded) -> Figure:
    thousands = len(files) / 1000
    return Figure(
        name=f"{len(files)} documents, failing network",
        unit="s from S3 to searchable",
        samples=tuple(loaded.waits),
        reference="the whole import",
        reference_samples=(loaded.seconds,) * len(loaded.waits),
        details={
            "p95_s": round(statistics.quantiles(loaded.waits, n=20)[-1], 1),
            "whole_s": round(loaded.seconds),
            "documents_per_second": round(len(files) / loaded.seconds, 2),
            "megabytes": round(sum(each.file.size_bytes for each in files) / 1e6, 1),
            "passages": sum(each.passages for each in loaded.documents.values()),
            "import_asked_for": loaded.asked,
            "wrong": ", ".join(loaded.wrong[:5]),
            "peak_mib": loaded.peak.mebibytes,
            "processes": loaded.peak.processes,
            "requests": loaded.faced.by_service.total(),
            "faults": loaded.faced.faults,
            "$ per 1000": round(sum(loaded.lines.values()) / thousands, 4),
            **{f"$ per 1000: {name}": round(usd / thousands, 4) for name, usd in loaded.lines.items()},
        },
        goals=(Goal(what="files not searchable exactly once", value=len(loaded.wrong), limit=0),),
    )


def corpus(count: int) -> list[Listed]:
    """Return the first HTML files of the packages by path, each under its path as a name."""
    folder = cache_directory() / "evaluation" / "debian"
    found = [
        SourceFile(path=path, name=path.relative_to(folder).as_posix())
        for package in _PACKAGES
        for path in sorted(unpacked(package, folder).rglob("*.html"))
        if path.is_file() and not path.is_symlink()
    ]
    return [each for file in found[:count] if isinstance(each := listed(file), Listed)]


def _import_all(api: PlinthApi, files: Sequence[Listed]) -> int:
    """Import until every file is searchable, at most `_TRIES` times; return how often that was asked for."""
    for tried in range(1, _TRIES + 1):
        try:
            record = import_files(api, files, ImportOptions(), told=lambda _what, _more: None)
        except (ClientError, httpx.HTTPError) as error:
            print(f"  the import broke off: {error}")
            continue
        if record.failed == 0:
            return tried
        print(f"  {record.failed} files failed, as {record.failures[0].name}: {record.failures[0].message}")
    return _TRIES


def _faced(proxy_url: str) -> Faced:
    told: dict[str, Any] = httpx.get(f"{proxy_url}/_microburst/stats").raise_for_status().json()
    return Faced(
        by_service=Counter({each["service"]: each["requests"] for each in told["by_service"]}),
        faults=sum(each["fired"] for each in told["by_rule"]),
    )


def _bill(used: Recording, info: StackInfo) -> dict[str, float]:
    """Return dollars by line, the largest first: what is below a hundredth of the whole is one line."""
    states = local_client("stepfunctions", info.cloud_url)
    machines = states.list_state_machines()["stateMachines"]
    (machine,) = (each["stateMachineArn"] for each in machines if "Ingest" in each["name"])
    executions = states.list_executions(stateMachineArn=machine, maxResults=1000)["executions"]
    sampled = executions[:: max(1, len(executions) // _SAMPLED_EXECUTIONS)]
    entered = statistics.mean(_transitions(states, each["executionArn"]) for each in sampled)
    lines = functions_bill(used)
    lines["Standard transitions"] = used.runs * (entered + _IMPORT_TRANSITIONS) * _TRANSITION_USD
    lines["S3 requests"] = used.runs * (_S3_WRITES * _S3_WRITE_USD + _S3_READS * _S3_READ_USD)
    least = sum(lines.values()) / 100
    told = {name: usd for name, usd in sorted(lines.items(), key=lambda line: -line[1]) if usd >= least}
    return {**told, "other": sum(lines.values()) - sum(told.values())}


def _transitions(states: Any, execution: str) -> int:  # noqa: ANN401 - boto3 makes its clients at run time
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    return sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])


def _waits(documents: Mapping[str, DocumentRecord], info: StackInfo) -> Iterator[float]:
    """Yield the seconds from each object's being in S3, which is told in whole ones, to its being searchable."""
    pages = local_client("s3", info.cloud_url).get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=info.outputs["DocumentsBucket"]):
        for stored in page.get("Contents", ()):
            document = documents.get(stored["Key"].partition("/")[2])
            if document is not None and document.state is DocumentState.READY:
                yield document.updated_at - stored["LastModified"].timestamp()


def _is_once(document: DocumentRecord | None, info: StackInfo) -> bool:
    """Say whether the index holds every passage of the live version once, and nothing else of the document."""
    if document is None or document.state is not DocumentState.READY:
        return False
    query = {"size": 10_000, "query": {"term": {"document_id": document.document_id}}, "_source": _FIELDS}
    with connect(info.outputs["SearchUrl"], auth="none") as client:
        hits = client.search(index=f"passages-m{MAPPING_VERSION}", body=query)["hits"]["hits"]
    held = sorted((hit["_source"]["position"], hit["_source"]["generation"]) for hit in hits)
    return held == [(position, document.generation) for position in range(document.passages)]
