"""Which environments there are, and how a wrong one is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdk.environments import ENVIRONMENTS, UnknownEnvironmentError, environment_named
from cdk.steps import ALL_STEPS
from tests.cdk.assemblies import synthesize
from tests.cdk.conftest import Synthesized


def test_there_is_one_record_per_environment() -> None:
    assert list(ENVIRONMENTS) == ["local", "sandbox", "dev", "staging", "prod"]


def test_an_unknown_environment_is_refused_with_the_names_of_all() -> None:
    for name in ("qa", "prod-ann", ""):
        with pytest.raises(
            UnknownEnvironmentError, match=f"no environment '{name}'.*local, sandbox, dev, staging, prod"
        ):
            environment_named(name)


@pytest.mark.parametrize("owner", [None, "", "Ann", "an_n", "an-n", "a" * 11])
def test_a_sandbox_without_a_usable_owner_is_refused_with_the_remedy(owner: str | None) -> None:
    with pytest.raises(UnknownEnvironmentError, match="-c owner=NAME"):
        environment_named("sandbox", owner=owner)


def test_each_owner_has_a_sandbox_of_their_own() -> None:
    assert environment_named("sandbox", owner="ann").name == "sandbox-ann"
    assert environment_named("sandbox-ann").name == "sandbox-ann"


def test_the_app_says_in_one_line_what_is_wrong() -> None:
    context = {**os.environ, "CDK_CONTEXT_JSON": '{"env": "qa"}'}
    ran = subprocess.run([sys.executable, "app.py"], env=context, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.strip().splitlines()[-1].startswith("plinth: no environment 'qa'")


def test_a_stack_with_a_layer_that_was_not_built_carries_a_rule_that_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLINTH_LAYERS_DIR", str(tmp_path / "never-built"))
    templates = synthesize("local", tmp_path / "out").templates
    (assertion,) = templates["answer"]["Rules"]["LayersAreBuilt"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": ["layers", "built"]}
    assert "python -m layers.build --target local" in assertion["AssertDescription"]


def test_a_stack_whose_layers_are_built_can_be_deployed(synthesized: Synthesized) -> None:
    assert all(
        "LayersAreBuilt" not in template.get("Rules", {}) for template in synthesized("local").templates.values()
    )


def test_layers_carry_their_byte_code(synthesized: Synthesized) -> None:
    compiled = {path.stem for path in synthesized("dev").folder.glob("asset.*/python/__pycache__/*.pyc")}

    assert compiled == {step_layer.value for step in ALL_STEPS for step_layer in step.layers}
