"""Assemblies by environment, each made on first use, over stand-ins for the layers."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from cdk.steps import Layer
from tests.cdk.assemblies import Assembly, synthesize

Synthesized = Callable[[str], Assembly]


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
