"""Assemblies by environment, each made on first use, over stand-ins for the layers."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from cdk.steps import Layer
from tests.cdk.assemblies import Assembly, synthesize

Synthesized = Callable[[str], Assembly]


@pytest.fixture(scope="session")
def layers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that looks like built layers."""
    folder = tmp_path_factory.mktemp("layers")
    for layer in Layer:
        (folder / layer / "python").mkdir(parents=True)
        (folder / layer / "python" / f"{layer}.txt").write_text(layer)
    return folder


@pytest.fixture(scope="session")
def synthesized(layers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synthesized]:
    """Return the assembly of an environment; every test of the session shares it."""

    @cache
    def make(environment: str) -> Assembly:
        return synthesize(environment, tmp_path_factory.mktemp(environment))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLINTH_LAYERS_DIR", str(layers_folder))
        yield make
