"""What models are asked of: the small model in a real process, and scripted providers in threads."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.models.files import cache_directory, ensure
from local.processes import Child, free_port, start, stop, wait_healthy
from tests.contract.models.worlds import SERVED, World, Worlds
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.certificates import self_signed_context

ENDPOINT = "small-model"


@dataclass(frozen=True)
class ModelServer:
    """A running model server."""

    url: str
    child: Child

    def client(self, **config: Any) -> Any:
        make: Any = boto3.client
        return make(
            "sagemaker-runtime",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60, **config),
        )


def launch(model_file: Path, log: Path) -> ModelServer:
    port = free_port()
    argv = [sys.executable, "-m", "local.models", "--port", str(port), "--model-file", str(model_file)]
    child = start("model", [*argv, "--endpoint", ENDPOINT, "--alias", "small"], env=dict(os.environ), log_path=log)
    return ModelServer(url=f"http://127.0.0.1:{port}", child=child)


@pytest.fixture(scope="session")
def small_model_file() -> Path:
    return ensure("small", cache=cache_directory(), progress=partial(print, file=sys.stderr))


@pytest.fixture(scope="module")
def server(small_model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    running = launch(small_model_file, tmp_path_factory.mktemp("model") / "model.log")
    wait_healthy(f"{running.url}/health", running.child, 60)
    yield running
    stop([running.child])


@pytest.fixture(scope="session", autouse=True)
def aws_credentials() -> Iterator[None]:
    """Anthropic's SDK looks for credentials once per process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield


@pytest.fixture(scope="session")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(scope="session")
def worlds(provider: ProviderServer) -> Iterator[Worlds]:
    made = Worlds(provider)
    yield made
    made.close()


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderServer]:
    with ProviderServer(context=self_signed_context(tmp_path_factory.mktemp("tls"))) as running:
        yield running


@pytest.fixture(scope="session")
def embedding_directory() -> Path:
    return ensure("embedding", cache=cache_directory(), progress=partial(print, file=sys.stderr))


@pytest.fixture(params=SERVED)
def served(request: pytest.FixtureRequest, worlds: Worlds) -> World:
    return worlds.of(request.param)
