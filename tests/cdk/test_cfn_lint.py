"""cfn-lint finds nothing wrong with any template."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cdk.conftest import Synthesized

ALREADY_ENFORCED = "W3005"  # CDK writes DependsOn beside a reference to the same resource


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_every_template_is_valid_cloudformation(synthesized: Synthesized, environment: str) -> None:
    templates = [str(path) for path in synthesized(environment).folder.glob("*.template.json")]
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", ALREADY_ENFORCED, "--", *templates]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")
