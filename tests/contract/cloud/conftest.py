"""The embedded cloud that the contract tests share: one real process on a free port for the session."""

import io
import json
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from local.processes import Child, free_port, start, stop, wait_healthy

ROLE = "arn:aws:iam::000000000000:role/any"
QUIET = {"transaction_conflicts": 0, "index_lag_seconds": 0, "duplicate_events": 0, "late_events": 0}
"""Nothing happens by chance."""

SEARCH_ENDPOINT = "127.0.0.1:19200"


@dataclass
class Cloud:
    """A running embedded cloud and shortcuts to fill it."""

    endpoint: str
    home: Path
    child: Child
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            make: Any = boto3.client
            self.clients[service] = make(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 0}, inject_host_prefix=False, read_timeout=30),
            )
        return self.clients[service]

    def function(self, source: str, **options: Any) -> str:
        """Create a function whose module is `source`; return its ARN."""
        options = {"Role": ROLE, "Timeout": 20, "Runtime": "python3.13", **options}
        created = self.client("lambda").create_function(
            FunctionName=unique("function"),
            Handler="handler.handler",
            Code={"ZipFile": zipped({"handler.py": source})},
            **options,
        )
        return str(created["FunctionArn"])

    def layer(self, files: dict[str, str]) -> str:
        content = {"ZipFile": zipped(files)}
        published = self.client("lambda").publish_layer_version(LayerName=unique("layer"), Content=content)
        return str(published["LayerVersionArn"])

    def invoke(self, function: str, event: object = None) -> Any:
        """Return the function's answer, or its error payload."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def machine(self, states: dict[str, Any], *, kind: str = "EXPRESS", **top: Any) -> str:
        """Create a JSONata state machine that starts at the first state; return its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **top}
        created = self.client("stepfunctions").create_state_machine(
            name=unique("machine"), definition=json.dumps(definition), roleArn=ROLE, type=kind
        )
        return str(created["stateMachineArn"])

    def run(self, machine: str, given: object = None) -> dict[str, Any]:
        """Run an Express machine to its end; return the response with `output` parsed."""
        response = self.client("stepfunctions").start_sync_execution(
            stateMachineArn=machine, input=json.dumps(given if given is not None else {})
        )
        return {**response, "output": json.loads(response.get("output") or "null")}

    def put_chances(self, **chances: object) -> dict[str, Any]:
        """Set strict mode's chances, the others to their defaults; return what is in force and what was called."""
        response = httpx.put(f"{self.endpoint}/_plinth/chances", json=chances)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def ended(self, execution: str) -> dict[str, Any]:
        """Wait for a Standard execution to end; return its description with `output` parsed."""

        def check() -> dict[str, Any] | None:
            described: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=execution)
            return None if described["status"] == "RUNNING" else described

        described = eventually(check, within_seconds=30)
        return {**described, "output": json.loads(described.get("output") or "null")}

    def restart(self, *arguments: str) -> None:
        """Stop with SIGTERM and start again on the same home and port."""
        stop([self.child])
        self.child = launch(int(self.endpoint.rpartition(":")[2]), self.home, *arguments)


def launch(port: int, home: Path, *arguments: str) -> Child:
    argv = [sys.executable, "-m", "local.cloud", "--port", str(port), "--home", str(home)]
    child = start(
        "cloud", [*argv, "--search-endpoint", SEARCH_ENDPOINT, *arguments], env={}, log_path=home / "logs" / "cloud.log"
    )
    wait_healthy(f"http://127.0.0.1:{port}/_ministack/health", child, 30)
    return child


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def eventually(check: Callable[[], Any], *, within_seconds: float = 10) -> Any:
    """Return the first truthy value of `check`."""
    deadline = time.monotonic() + within_seconds
    while not (value := check()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return value


def new_cloud(home: Path, *arguments: str) -> Cloud:
    port = free_port()
    return Cloud(f"http://127.0.0.1:{port}", home, launch(port, home, *arguments))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = new_cloud(tmp_path_factory.mktemp("cloud"), "--environment", "PLINTH_GIVEN=by the launcher")
    yield running
    stop([running.child])


@pytest.fixture(scope="session")
def strict_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = new_cloud(tmp_path_factory.mktemp("strict"), "--strict")
    running.put_chances(**QUIET)
    yield running
    stop([running.child])


@pytest.fixture
def chances(strict_cloud: Cloud) -> Iterator[Callable[..., dict[str, Any]]]:
    """Yield what sets the chances that a test names and no others; afterwards nothing happens by chance again."""
    yield lambda **given: strict_cloud.put_chances(**(QUIET | given))
    strict_cloud.put_chances(**QUIET)
