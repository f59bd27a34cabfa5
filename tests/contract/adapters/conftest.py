"""The real stores that the contracts run against: an embedded cloud and a search engine, once per session."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from local.processes import free_port, start, stop, wait_healthy
from plinth.adapters.aws_calls import CALLS, S3_CALLS
from plinth.adapters.dynamo_approvals import DynamoApprovals
from plinth.adapters.dynamo_executions import DynamoExecutions
from plinth.adapters.dynamo_run_log import DynamoRunLog
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.open_rows import OPEN
from plinth.adapters.opensearch_memory import OpenSearchMemory
from plinth.contracts.memory import DocumentVersion
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from tests.conformance.shapes import listed, recorded
from tests.contract.adapters.journal import Journal, new_run
from tests.contract.adapters.two_tenants import Two
from tests.fakes.approvals import FakeApprovals
from tests.fakes.clock import FakeClock
from tests.fakes.runs import FakeExecutions, FakeRunLog, FakeRuns

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cloud:
    """Where the embedded cloud listens."""

    endpoint: str

    def client(self, service: str, calls: Config = CALLS) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=calls.merge(Config(max_pool_connections=32)),
        )


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home, port = tmp_path_factory.mktemp("cloud"), free_port()
    search = f"127.0.0.1:{free_port()}"
    yield from _served(
        Cloud(f"http://127.0.0.1:{port}"),
        ["-m", "local.cloud", "--port", str(port), "--home", str(home), "--search-endpoint", search],
        f"http://127.0.0.1:{port}/_ministack/health",
        home / "cloud.log",
    )


@pytest.fixture(scope="session")
def search_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home, port = tmp_path_factory.mktemp("search"), free_port()
    url = f"http://127.0.0.1:{port}"
    argv = ["-m", "local.search", "--port", str(port), "--data", str(home / "data")]
    yield from _served(url, argv, f"{url}/_cluster/health", home / "search.log")


def _served(value: Result, argv: list[str], health: str, log: Path) -> Iterator[Result]:
    child = start(argv[1], [sys.executable, *argv], env={}, log_path=log)
    try:
        wait_healthy(health, child, 30)
        yield value
    finally:
        stop([child])


@pytest.fixture(scope="session")
def dynamodb(cloud: Cloud) -> "DynamoDBClient":
    client: DynamoDBClient = cloud.client("dynamodb")
    return client


@pytest.fixture(scope="session")
def table(dynamodb: "DynamoDBClient") -> Table:
    """One table for all adapters: their keys don't meet, and every test has a tenant of its own."""
    return made_table(dynamodb)


def made_table(dynamodb: "DynamoDBClient") -> Table:
    """Make a table of the keys that every table has, and of the index that those have which are swept."""
    name = f"table-{uuid4().hex}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": OPEN.partition, "AttributeType": "S"},
            {"AttributeName": OPEN.sort, "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": OPEN.name,
                "KeySchema": [
                    {"AttributeName": OPEN.partition, "KeyType": "HASH"},
                    {"AttributeName": OPEN.sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return Table(client=dynamodb, name=name)


@pytest.fixture(scope="session")
def s3(cloud: Cloud) -> "S3Client":
    client: S3Client = cloud.client("s3", S3_CALLS)
    return client


@pytest.fixture(scope="session")
def bucket(s3: "S3Client") -> str:
    name = f"bucket-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture(autouse=True)
def search_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Fail a test in which the adapter sends what no search backend was compared on, and did not clear it."""
    ours: set[int] = set()
    make = OpenSearchMemory.__init__

    def made(self: OpenSearchMemory, **given: Any) -> None:
        ours.add(id(given["client"].transport))
        make(self, **given)

    monkeypatch.setattr(OpenSearchMemory, "__init__", made)
    with recorded(monkeypatch, lambda transport: id(transport) in ours) as sent:
        yield sent
    assert sent <= listed(), "add it to tests/conformance/test_our_requests.py"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tenant() -> Tenant:
    """Make a tenant that no other test has met."""
    return Tenant(id=f"t{uuid4().hex[:12]}")


@pytest.fixture
def other_tenant() -> Tenant:
    return Tenant(id=f"o{uuid4().hex[:12]}")


@pytest.fixture(params=["fake", "dynamodb"])
def journal(request: pytest.FixtureRequest, clock: FakeClock) -> Journal:
    if request.param == "fake":
        fake = FakeRuns(clock)
        return Journal(fake, FakeExecutions(fake), FakeRunLog(fake), FakeRunLog(fake), FakeApprovals(fake))
    table = request.getfixturevalue("table")
    logs = (DynamoRunLog(table=table, clock=clock) for _ in range(2))
    runs = DynamoRuns(table=table, clock=clock)
    approvals = DynamoApprovals(table=table, log=DynamoRunLog(table=table, clock=clock), clock=clock)
    return Journal(runs, DynamoExecutions(table=table, runs=runs, clock=clock), *logs, approvals)


@pytest.fixture
def run(tenant: Tenant, clock: FakeClock) -> Run:
    return new_run(tenant, clock)


@pytest.fixture
def version(tenant: Tenant) -> Callable[..., DocumentVersion]:
    """Make versions of one document by a small number; another name is another document."""

    def make(number: int, *, name: str = "a.txt", tenant: Tenant = tenant) -> DocumentVersion:
        return DocumentVersion(
            tenant=tenant,
            document_id=f"doc_{name.partition('.')[0]}",
            name=name,
            object_key=f"{tenant.id}/{name}",
            version_id=None,
            sequence=f"{number:032X}",
            size_bytes=number,
        )

    return make


@pytest.fixture
def two(
    cloud: Cloud, dynamodb: "DynamoDBClient", s3: "S3Client", search_url: str, monkeypatch: pytest.MonkeyPatch
) -> Two:
    """Make two tenants over tables, a bucket and an index of their own."""
    for name in ("TENANTS", "LEDGER", "RUNS", "CONVERSATIONS", "DOCUMENTS", "ANSWERS"):
        monkeypatch.setenv(f"PLINTH_{name}_TABLE", made_table(dynamodb).name)
    bucket, work, exports = (f"{name}-{uuid4().hex}" for name in ("two", "work", "exports"))
    for each in (bucket, work, exports):
        s3.create_bucket(Bucket=each)
        s3.put_bucket_versioning(Bucket=each, VersioningConfiguration={"Status": "Enabled"})
    made = cloud.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    key = made["KeyMetadata"]["Arn"]
    settings = {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PLINTH_ENVIRONMENT": "test",
        "PLINTH_DEFAULT_MODEL": "plinth-local",
        "PLINTH_DOCUMENTS_BUCKET": bucket,
        "PLINTH_WORK_BUCKET": work,
        "PLINTH_EXPORTS_BUCKET": exports,
        "PLINTH_RECEIPTS_KEY_ID": key,
        "PLINTH_OPENSEARCH_URL": search_url,
        "PLINTH_OPENSEARCH_AUTH": "none",
        "PLINTH_SEARCH_INDEX": f"two-{uuid4().hex}",
        "PLINTH_VECTOR_DIMENSION": "8",
        "PLINTH_ERASE_SETTLE_SECONDS": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Two(dynamodb, bucket, s3)


def at_once(calls: list[Callable[[], Result]]) -> list[Result]:
    """Make all calls at the same moment, each in a thread; return their results in order."""
    together = Barrier(len(calls))

    def call(made: Callable[[], Result]) -> Result:
        together.wait()
        return made()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))
