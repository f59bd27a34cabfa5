"""One whole stack for all integration tests: real processes on free ports, the small model, AWS-strict.

The models behind an API are scripted ones on loopback, with time limits that a test can wait for.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import msgspec
import pytest

from bench.own_stack import free_ports
from client.api import PlinthApi
from client.tenants import TenantsTable
from client.tenants_file import read_tenants
from local import stack
from local.places import Ports, noted_searches
from local.processes import free_port
from local.records import StackInfo
from local.supervision import wait_until
from plinth.chain.catalogue import catalogue
from tests.conformance.shapes import listed
from tests.fakes.providers import ProviderServer

FIRST_SECONDS, STALL_SECONDS = 2.0, 2.0
MODELS = '["plinth-local", "claude-haiku-5-5", "claude-haiku-4-5", "claude-sonnet-5-5", "gpt-6-luna"]'
TIERS = f"""
[tiers.free]
requests_per_minute = 6
burst = 3
models = ["plinth-local"]
max_output_tokens = 100

[tiers.pro]
tools = ["calculate", "search_memory", "fetch_url", "remember"]
fetch_hosts = ["docs.example.org"]
link_hosts = ["docs.example.org"]
requests_per_minute = 6000
burst = 1000
models = {MODELS}
max_output_tokens = 100
deadline_seconds = 1800
max_turns = 12

[tiers.terse]
tokens_per_minute = 1500
models = ["plinth-local"]
max_output_tokens = 100

[tiers.single]
concurrent_runs = 1
models = ["plinth-local"]
max_output_tokens = 100

[tiers.thrifty]
models = ["claude-haiku-5-5"]
max_output_tokens = 100
[tiers.thrifty.budgets.tenant]
day_usd = 5
[tiers.thrifty.budgets.user]
day_usd = 0.5
month_usd = 2

[tiers.counted]
summary_model = "claude-haiku-5-5"
tools = ["calculate", "search_memory"]
models = ["claude-haiku-5-5", "claude-haiku-4-5"]
max_output_tokens = 100
[tiers.counted.budgets.tenant]
day_usd = 5
[tiers.counted.budgets.user]
day_usd = 5
"""


def user_of(tenant: str, name: str, *scopes: str) -> str:
    """Return the rows of a user with a key; without scopes these are as by default."""
    held = f"scopes = {json.dumps(scopes)}\n" if scopes else ""
    return f'[tenants.{tenant}.users.{name}]\nkeys = ["test"]\n{held}'


def tenant(name: str, tier: str, user: str, *scopes: str) -> str:
    """Return the rows of a tenant with one user and its key."""
    return f'[tenants.{name}]\ntier = "{tier}"\n{user_of(name, user, *scopes)}'


RUNS = ("runs:read", "runs:write")
DOCUMENTS = ("documents:read", "documents:write")
TENANTS = TIERS + "".join(
    [
        tenant("acme", "pro", "ann", *RUNS, *DOCUMENTS, "usage:read", "contents:read"),
        tenant("rival", "pro", "rob"),
        tenant("hurried", "free", "hal"),
        tenant("rushed", "free", "ray"),
        tenant("followed", "pro", "flo", *RUNS, *DOCUMENTS),
        tenant("tasting", "pro", "tia", *RUNS, *DOCUMENTS),
        tenant("hanging", "counted", "mo"),
        tenant("laconic", "terse", "lea"),
        tenant("frugal", "thrifty", "fay"),
        tenant("counted", "counted", "cora"),
        tenant("audited", "counted", "cora"),
        tenant("mortal", "counted", "mo"),
        tenant("mindful", "counted", "mina"),
        tenant("perishable", "pro", "mia", *RUNS, *DOCUMENTS, "erase"),
        tenant("passing", "pro", "pat", *RUNS),
        user_of("passing", "petra", "erase"),
        tenant("leaving", "pro", "lou", *RUNS, *DOCUMENTS, "export"),
        tenant("redriven", "pro", "red", *RUNS, *DOCUMENTS),
        tenant("unheard", "pro", "una"),
        tenant("synced", "pro", "syd"),
        tenant("placed", "counted", "pia", *RUNS, *DOCUMENTS, "usage:read"),
        tenant("shelved", "pro", "sue"),
        tenant("moving", "pro", "max"),
        tenant("operator", "pro", "olga", "admin", "erase"),
        tenant("patient", "single", "pia"),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A running stack, and how a test reaches it from outside and looks inside."""

    home: Path
    ports: Ports
    info: StackInfo
    keys: dict[str, str]

    def http(self, tenant: str | None = "acme", **headers: str) -> httpx.Client:
        """Return an HTTP client with the key of a tenant's first user, or of another user, or without one."""
        key = {"authorization": f"Bearer {self.keys[tenant]}"} if tenant else {}
        return httpx.Client(base_url=self.info.api_url, headers={**key, **headers}, timeout=60)

    def api(self, tenant: str = "acme") -> PlinthApi:
        """Return the typed client with a tenant's key."""
        return PlinthApi(self.info.api_url, key=self.keys[tenant])

    def aws(self, service: str) -> Any:
        """Return a boto3 client of the embedded cloud."""
        return boto3.client(
            service,
            endpoint_url=self.info.cloud_url,
            region_name=self.info.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def function(self, step: str) -> str:
        """Return the name of a step's function."""
        pages = self.aws("lambda").get_paginator("list_functions").paginate()
        (name,) = (
            each["FunctionName"]
            for page in pages
            for each in page["Functions"]
            if f"-{step}Function" in each["FunctionName"]
        )
        return str(name)

    def log_lines(self, step: str) -> list[dict[str, Any]]:
        """Return the structured lines that a step's function has logged."""
        logs = self.aws("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        events = [
            event["message"]
            for group in groups
            if step in group
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        return [json.loads(message) for message in events if message.startswith("{")]

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return every item of a table."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=self.info.outputs[f"{table}Table"])
        return [item for page in pages for item in page["Items"]]

    def write(self, operation: str, **request: Any) -> None:
        """Write to a table from outside, as often as a transaction of the stack's own holds the item."""
        dynamodb = self.aws("dynamodb")

        def written() -> bool:
            with suppress(dynamodb.exceptions.TransactionConflictException):
                getattr(dynamodb, operation)(**request)
                return True
            return False

        assert wait_until(written, timeout_seconds=20)

    def up(self) -> StackInfo:
        """Start the stack (again) on its own ports."""
        return stack.up(self.home, self.ports, model="small", progress=print, strict=True)


def denials(home: Path) -> list[str]:
    """Return what functions were denied that no test has taken from them: function, action and resource."""
    file = home / "logs" / "denials.txt"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(scope="session")
def provider() -> Iterator[ProviderServer]:
    """Yield Anthropic as the deployed functions meet it."""
    with ProviderServer() as server:
        yield server


@pytest.fixture(scope="session")
def openai_port() -> int:
    """Return where the deployed functions look for OpenAI; nothing is there until a test starts it."""
    return free_port()


def impatient_catalogue() -> bytes:
    """Return the catalogue with short time limits for the models behind an API.

    Of these one is asked first whether there is an answer, and not the local one: the small model gives no verdicts.
    """
    models = [
        msgspec.structs.replace(each, checks_answerable=False)
        if each.provider == "sagemaker"
        else msgspec.structs.replace(
            each,
            first_seconds=FIRST_SECONDS,
            stall_seconds=STALL_SECONDS,
            checks_answerable=each.id == "claude-sonnet-5-5",
        )
        for each in catalogue().models.values()
    ]
    return msgspec.json.encode({"models": models, "routes": list(catalogue().routes.values())})


@pytest.fixture(scope="session")
def deployed(provider: ProviderServer, openai_port: int) -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="plinth-") as folder, pytest.MonkeyPatch.context() as environment:
        home, ports = Path(folder), free_ports()
        (home / "catalogue.json").write_bytes(impatient_catalogue())
        environment.setenv("PLINTH_CATALOGUE", str(home / "catalogue.json"))
        environment.setenv("ANTHROPIC_BASE_URL", provider.url)
        environment.setenv("ANTHROPIC_API_KEY", "a-scripted-provider-takes-any")
        environment.setenv("PLINTH_OPENAI_URL", f"http://127.0.0.1:{openai_port}/v1")
        environment.setenv("OPENAI_API_KEY", "a-scripted-provider-takes-any")
        try:
            info = stack.up(home, ports, model="small", progress=print, strict=True)
            file = home / "tenants.toml"
            file.write_text(TENANTS)
            bare = Deployed(home=home, ports=ports, info=info, keys={})
            table = TenantsTable(bare.aws("dynamodb"), table=info.outputs["TenantsTable"], environment="local")
            made = list(table.apply(read_tenants(file)))
            keys = {each.user: each.text for each in made} | {each.tenant: each.text for each in reversed(made)}
            yield Deployed(home=home, ports=ports, info=info, keys=keys)
            noted = noted_searches(home)
            sent = noted.read_text().splitlines() if noted.exists() else []
            assert set(sent) <= listed(), "add it to tests/conformance/test_our_requests.py"
            assert denials(home) == [], "give the step its right, in cdk/steps.py"
        finally:
            stack.down(home)


def close_breakers(deployed: Deployed) -> None:
    """Let every model be asked, whatever failed before."""
    for model in catalogue().models:
        key = {"pk": {"S": f"MODEL#{model}"}, "sk": {"S": "BREAKER"}}
        deployed.write("delete_item", TableName=deployed.info.outputs["RunsTable"], Key=key)


@pytest.fixture(autouse=True)
def well_models(request: pytest.FixtureRequest) -> None:
    """Begin each test with closed breakers: one that an earlier test opened makes a machine wait and ask again."""
    if "deployed" in request.fixturenames:
        close_breakers(request.getfixturevalue("deployed"))


@pytest.fixture(scope="session")
def problem() -> Any:
    """Return a reader of problem documents: (status, code, detail)."""

    def read(response: httpx.Response) -> tuple[int, str, str]:
        assert response.headers["content-type"].startswith("application/problem+json"), response.text
        body = json.loads(response.text)
        return response.status_code, body["code"], body["detail"]

    return read
