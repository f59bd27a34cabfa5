"""Assemblies by environment, each made on first use, over stand-ins for the layers."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from cdk import environments
from cdk.environments import ON_VLLM, EmbeddingEndpoint, Environment, GpuEndpoint
from cdk.step import Layer
from tests.cdk.assemblies import Assembly, synthesize

Synthesized = Callable[[str], Assembly]
EVERYTHING = Environment(
    name="everything", network="vpc", gpu=GpuEndpoint(), async_gpu=ON_VLLM, embedding=EmbeddingEndpoint(), alarms=True
)


@pytest.fixture(scope="session", autouse=True)
def layers_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let every assembly of the session find folders that look like built layers."""
    folder = tmp_path_factory.mktemp("layers")
    for layer in Layer:
        (folder / layer / "python" / "__pycache__").mkdir(parents=True)
        (folder / layer / "python" / f"{layer}.txt").write_text(layer)
        (folder / layer / "python" / "__pycache__" / f"{layer}.pyc").write_text(layer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLINTH_LAYERS_DIR", str(folder))
        yield


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Return the assembly of an environment; every test of the session shares it."""

    @cache
    def make(environment: str) -> Assembly:
        return synthesize(environment, tmp_path_factory.mktemp(environment))

    return make


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembly]:
    """Return an environment with every kind of endpoint, which no named one has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environments, "ENVIRONMENTS", {**environments.ENVIRONMENTS, EVERYTHING.name: EVERYTHING})
        yield synthesize(EVERYTHING.name, tmp_path_factory.mktemp("everything"))
