"""cdk-nag finds nothing that has no written reason."""

from pathlib import Path

import pytest

from cdk import acknowledgements
from tests.cdk.assemblies import synthesize
from tests.cdk.conftest import Synthesized


@pytest.mark.parametrize("environment", ["sandbox", "dev", "staging", "prod"])
def test_every_finding_has_a_reason(synthesized: Synthesized, environment: str) -> None:
    assert synthesized(environment).findings == []


def test_a_finding_without_a_reason_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledgements, "_REASONS", {})
    assert any("AwsSolutions-APIG4" in finding for finding in synthesize("dev", tmp_path / "out").findings)
