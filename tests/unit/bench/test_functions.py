"""What the functions load before their first answer: the module deny-list, held by real interpreters."""

import os
import sysconfig
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.functions import MAY_LOAD, Loaded, forbidden, load, services_used
from bench.host import REPOSITORY
from cdk.steps import ALL_STEPS, Step

STEPS = {step.name: step for step in ALL_STEPS}
FOLDERS = [REPOSITORY / "layers" / "plinth" / "python", Path(sysconfig.get_path("purelib"))]


@pytest.fixture(scope="module")
def loaded() -> Mapping[str, Loaded]:
    """Start every function once, from the installed packages, with a local model."""

    def start(step: Step) -> Loaded:
        return load(step, FOLDERS, provider="sagemaker")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(STEPS, pool.map(start, ALL_STEPS), strict=True))


@pytest.mark.parametrize("name", STEPS)
def test_a_function_loads_no_heavy_package_that_is_not_its_own(name: str, loaded: Mapping[str, Loaded]) -> None:
    assert forbidden(STEPS[name], loaded[name].packages, provider="sagemaker") == []


def test_the_model_sdk_is_loaded_by_the_function_that_calls_models_and_only_for_its_own_models() -> None:
    with_sdk = load(STEPS["CallModel"], FOLDERS, provider="anthropic").packages

    assert "anthropic" in with_sdk
    assert forbidden(STEPS["CallModel"], with_sdk, provider="anthropic") == []
    assert forbidden(STEPS["CallModel"], with_sdk, provider="sagemaker") == ["anthropic", "pydantic"]
    assert forbidden(STEPS["ClaimRun"], with_sdk, provider="anthropic") == ["anthropic", "pydantic"]


def test_every_function_on_the_deny_list_exists() -> None:
    assert {name for names in MAY_LOAD.values() for name in names} <= STEPS.keys()


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("ClaimRun", ["runs"]),
        ("RetrieveContext", ["documents", "embedder", "memory", "runs"]),
        ("StartIngest", ["machines"]),
    ],
)
def test_the_services_of_a_function_are_read_from_its_source(name: str, services: list[str]) -> None:
    assert services_used(STEPS[name]) == services
