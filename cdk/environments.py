"""What differs between environments: every such difference is a field of one frozen record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from aws_cdk import Environment as Place
from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from cdk.containers import LLAMA_CPP, TEI, VLLM, Container

MemoryStore = Literal["local_domain", "domain", "serverless"]
Runtime = Literal["python3.11", "python3.13"]
_OWNER = re.compile(r"[a-z][a-z0-9]{0,9}")


class UnknownEnvironmentError(ValueError):
    """The environment asked for does not exist, or lacks what it needs; the message says what to pass."""


@dataclass(frozen=True, kw_only=True)
class SearchSize:
    """The machines of a search domain. `masters` are dedicated ones; `volume_gb` is per data node."""

    instance: str = "t3.small.search"
    nodes: int = 1
    masters: int = 0
    master_instance: str = "m7g.medium.search"
    volume_gb: int = 10


_QWEN_GGUF = {
    "HF_REPO": "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    "HF_FILE": "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    "CTX_SIZE": "131072",
    "PARALLEL": "4",
}
"""Four requests at once with 32,768 tokens each, which is the context window that the catalogue promises."""

_QWEN = {"MODEL": "Qwen/Qwen2.5-Coder-1.5B-Instruct", "MAX_MODEL_LEN": "32768"}


@dataclass(frozen=True, kw_only=True)
class GpuEndpoint:
    """A self-hosted model that scales to zero: no instance runs, and nothing is billed, while nobody asks.

    `settings` are the container's own, of which some name the weights that it loads at every start.
    `reserved_memory_mb` is what the scheduler sets aside, no limit: more than a fraction of the machine is refused.
    """

    instance: str = "ml.g6.xlarge"
    most_instances: int = 1
    container: Container = LLAMA_CPP
    settings: Mapping[str, str] = field(default_factory=lambda: _QWEN_GGUF)
    requests_at_once: int = 4
    reserved_memory_mb: int = 1024


ON_VLLM = GpuEndpoint(container=VLLM, settings=_QWEN)
"""The same model in full precision on vLLM."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingEndpoint:
    """An embedding model that always runs, billed by the hour: a question never waits for one that sleeps.

    Vectors of another model can't be compared: each model has an index of its own, which `plinth reindex` fills.
    """

    instance: str = "ml.m6i.large"
    instances: int = 1
    container: Container = TEI
    model: str = "BAAI/bge-small-en-v1.5"
    dimension: int = 384

    @property
    def index(self) -> str:
        """The search index of this model's vectors."""
        return "passages-" + re.sub(r"[^a-z0-9.]+", "-", self.model.lower())


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One deployment of Plinth. `account` and `region` of None mean those of the credentials at hand.

    `model_endpoint` and `async_endpoint` name SageMaker endpoints that exist already; `gpu` and `async_gpu` make them.
    Without an asynchronous endpoint there is no machine for long inferences, and without `embedding` texts become
    vectors in the functions themselves. `anthropic_workspace` is that of Claude Platform on AWS, which takes the
    function's own role instead of a key. `retrieval` holds the fields of plinth's `Retrieval` that are not as by
    default; with `"rerank": True` in it, `rerank_endpoint` names a SageMaker endpoint with a cross-encoder.
    `reserved_concurrency` is by function: enough for it, and no more than it may take from the others.
    `imports_at_once` bounds how many files of an import are on their way; each `sync_minutes` the bucket is compared
    with the documents' rows, and due syncs of `sync_buckets` (ARNs) make a pass. Near `run_capacity` running runs low
    priorities are turned away; 0 turns nobody away.
    `erase_settle_seconds` is how long something from before an erasure may still be written: an upload URL is good for
    300 s and a request takes 28 s, so a shorter time is for a laptop alone. `earlier_embeddings` are the models of
    indexes that a reindex has yet to replace; `index` holds the fields of plinth's `IndexSettings` for indexes to come.
    An index that was left is kept for twice `reindex_grace_seconds`: longer than any function runs, but on a laptop.
    """

    name: str
    account: str | None = None
    region: str | None = "us-east-1"
    retain_data: bool = False
    tls_only: bool = True
    log_retention: RetentionDays = RetentionDays.TWO_WEEKS
    runtime: Runtime = "python3.13"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    layer_target: Literal["local", "aws"] = "aws"
    published_versions: bool = True
    snap_start: bool = True
    memory_store: MemoryStore = "domain"
    search: SearchSize = SearchSize()
    network: Literal["public", "vpc"] = "public"
    default_model: str = "claude-haiku-5-5"
    gpu: GpuEndpoint | None = None
    model_endpoint: str | None = None
    anthropic_workspace: str | None = None
    async_gpu: GpuEndpoint | None = None
    async_endpoint: str | None = None
    embedding: EmbeddingEndpoint | None = None
    earlier_embeddings: tuple[EmbeddingEndpoint, ...] = ()
    index: Mapping[str, object] = field(default_factory=dict[str, object])
    rerank_endpoint: str | None = None
    retrieval: Mapping[str, object] = field(default_factory=dict[str, object])
    relay: Literal["edge", "lambda"] = "lambda"
    relay_adapter_layer: str = "arn:aws:lambda:{region}:753240598075:layer:LambdaAdapterLayerArm64:26"
    reserved_concurrency: Mapping[str, int] = field(default_factory=dict[str, int])
    imports_at_once: int = 40
    sync_minutes: int = 60
    sync_buckets: tuple[str, ...] = ()
    reindex_grace_seconds: int = 900
    requests_per_second: int = 50
    run_capacity: int = 200
    erase_settle_seconds: int = 335
    console: bool = True
    alarms: bool = False
    alarm_email: str | None = None

    @property
    def place(self) -> Place:
        """Account and region, as CDK says it."""
        return Place(account=self.account, region=self.region)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of data and logs whose stack goes."""
        return RemovalPolicy.RETAIN if self.retain_data else RemovalPolicy.DESTROY


_INGEST_STEPS = (
    "ReadDocument",
    "SplitDocument",
    "EmbedPassages",
    "IndexPassages",
    "PublishDocument",
    "PlaceDocument",
    "NoteOutcome",
    "FillDocument",
)
"""On a laptop forty documents at once would start forty of each (40 x 264 MB for the embedding model alone)."""

LOCAL = Environment(
    name="local",
    account="000000000000",
    tls_only=False,
    log_retention=RetentionDays.ONE_DAY,
    runtime="python3.11",
    architecture="x86_64",
    layer_target="local",
    published_versions=False,
    snap_start=False,
    memory_store="local_domain",
    default_model="plinth-local",
    model_endpoint="plinth-local",
    async_endpoint="plinth-local",
    reserved_concurrency={**dict.fromkeys(_INGEST_STEPS, 2), "RetrieveContext": 4},
    imports_at_once=6,
    reindex_grace_seconds=5,
    relay="edge",
    erase_settle_seconds=2,
    console=False,
    alarms=True,
)
DEV = Environment(name="dev", memory_store="serverless")
SANDBOX = replace(DEV, name="sandbox", memory_store="domain", log_retention=RetentionDays.THREE_DAYS)
STAGING = Environment(
    name="staging",
    retain_data=True,
    network="vpc",
    log_retention=RetentionDays.ONE_MONTH,
    gpu=GpuEndpoint(),
    alarms=True,
)
PROD = Environment(
    name="prod",
    retain_data=True,
    network="vpc",
    log_retention=RetentionDays.THREE_MONTHS,
    search=SearchSize(instance="r7g.large.search", nodes=2, masters=3, volume_gb=100),
    gpu=GpuEndpoint(most_instances=4),
    reserved_concurrency={"CallModel": 200, "Relay": 200},
    requests_per_second=500,
    alarms=True,
)
ENVIRONMENTS: Mapping[str, Environment] = {each.name: each for each in (LOCAL, SANDBOX, DEV, STAGING, PROD)}


def environment_named(name: str, *, owner: str | None = None, alarm_email: str | None = None) -> Environment:
    """Return the environment; a sandbox is its owner's own, asked for as `sandbox` with an owner or `sandbox-OWNER`.

    Raises `UnknownEnvironmentError` with the remedy.
    """
    kind, _, named_owner = name.partition("-")
    if kind not in ENVIRONMENTS or (named_owner and kind != "sandbox"):
        names = ", ".join(ENVIRONMENTS)
        raise UnknownEnvironmentError(f"no environment {name!r}: pass -c env=NAME with one of {names}")
    environment = replace(ENVIRONMENTS[kind], alarm_email=alarm_email)
    if kind != "sandbox":
        return environment
    owner = named_owner or owner or ""
    if not _OWNER.fullmatch(owner):
        raise UnknownEnvironmentError(
            "a sandbox belongs to a person: pass -c owner=NAME (a-z and 0-9, at most 10, a letter first)"
        )
    return replace(environment, name=f"sandbox-{owner}")
