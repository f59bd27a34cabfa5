"""cfn-lint finds nothing wrong with any template."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cdk.assemblies import Assembly
from tests.cdk.conftest import Synthesized

ALREADY_ENFORCED = "W3005"  # CDK writes DependsOn beside a reference to the same resource


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_every_template_is_valid_cloudformation(synthesized: Synthesized, environment: str) -> None:
    assert linted(synthesized(environment)) == (0, "")


def linted(assembly: Assembly) -> tuple[int, str]:
    """Return what cfn-lint says of an assembly's templates."""
    templates = [str(path) for path in assembly.folder.glob("*.template.json")]
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", ALREADY_ENFORCED, "--", *templates]
    lint = subprocess.run(command, capture_output=True, text=True, check=False)
    return lint.returncode, lint.stdout
