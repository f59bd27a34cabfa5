"""What the functions load before their first answer: the module deny-list, held by real interpreters."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest

from bench.functions import Loaded, load, load_reader, services_used
from bench.packages import forbidden, forbidden_to_reader
from cdk.step import Layer, Step
from cdk.steps import ALL_STEPS
from local.cloud.runtime import link_runtime
from plinth.chain.catalogue import Provider
from tests.unit.bench.linked_layers import link_layers

STEPS = {step.name: step for step in ALL_STEPS}
OTHER_PROVIDERS: list[Provider] = [provider for provider in get_args(Provider) if provider != "sagemaker"]
NEW = Step(name="TellNobody", touches=())


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Link the layers and the runtime's own packages."""
    folder = tmp_path_factory.mktemp("layers")
    link_layers(folder)
    link_runtime(folder / "runtime")
    return folder


@pytest.fixture(scope="module")
def loaded(layers: Path) -> Mapping[str, Loaded]:
    """Start every function once, with a local model."""

    def start(step: Step) -> Loaded:
        return load(step, folders(layers, step.layers), provider="sagemaker")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(STEPS, pool.map(start, ALL_STEPS), strict=True))


def folders(layers: Path, names: Sequence[Layer]) -> list[Path]:
    return [*(layers / name for name in names), layers / "runtime"]


@pytest.mark.parametrize("name", STEPS)
def test_a_function_loads_no_package_that_is_not_its_own(name: str, loaded: Mapping[str, Loaded]) -> None:
    assert forbidden(STEPS[name], loaded[name], provider="sagemaker") == []


@pytest.mark.parametrize("provider", OTHER_PROVIDERS)
def test_a_model_is_asked_with_its_own_providers_packages_alone(provider: Provider, layers: Path) -> None:
    step = STEPS["CallModel"]

    found = load(step, folders(layers, step.layers), provider=provider)

    assert forbidden(step, found, provider=provider) == []
    assert ("anthropic" in found.importers) == (provider == "anthropic")
    assert "CallModel loads httpx2, which " in " ".join(forbidden(step, found, provider="sagemaker"))


def test_the_child_that_reads_documents_has_the_parsers_and_no_client(layers: Path) -> None:
    found = load_reader(folders(layers, STEPS["ReadDocument"].layers))

    assert forbidden_to_reader(found) == []
    assert {"markdown_it", "pypdfium2", "selectolax"} <= found.importers.keys()


def test_a_new_function_may_load_nothing_special_and_is_told_who_imported_it(loaded: Mapping[str, Loaded]) -> None:
    sentences = forbidden(NEW, loaded["ClaimRun"], provider="anthropic")

    assert "TellNobody loads boto3, which plinth.wiring.stores imports" in sentences


def test_functions_without_a_model_of_anthropic_are_denied_its_sdk_whatever_is_asked_elsewhere() -> None:
    found = Loaded(cpu_ms=1.0, peak_mib=1.0, importers={"anthropic": "handler", "google": "handler"})

    assert len(forbidden(STEPS["ClaimRun"], found, provider="anthropic")) == 2
    assert len(forbidden(STEPS["CallModel"], found, provider="sagemaker")) == 2
    assert forbidden(STEPS["CallModel"], found, provider="anthropic") == [
        "CallModel loads google, which handler imports"
    ]


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("ClaimRun", ["clock", "executions", "run_log", "runs", "side_log"]),
        (
            "RetrieveContext",
            ["documents", "embedder", "facts", "memory", "meter", "reranker", "runs", "settings", "side_log"],
        ),
        (
            "StartIngest",
            ["callbacks", "documents", "imports", "machines", "staged_files", "synced_objects", "syncs", "tenants"],
        ),
    ],
)
def test_the_services_of_a_function_are_read_from_its_source(name: str, services: list[str]) -> None:
    assert services_used(STEPS[name]) == services
