"""What a change would do to production, seen before it is made.

`UPDATE_SNAPSHOTS=1 pytest tests/cdk/test_snapshots.py` writes them anew; look at the difference before committing it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cdk.conftest import Synthesized
from tests.cdk.test_protection import STATEFUL

FOLDER = Path(__file__).parent / "snapshots"
STACKS = ("answer", "api", "console", "data", "erasure", "ingest", "memory", "models", "money", "watch")
_CONTENT_HASH = re.compile(r"[0-9a-f]{64}|(?<=[0-9A-F]{8})[0-9a-f]{32}")


@pytest.mark.parametrize("stack", STACKS)
def test_the_production_template_is_the_one_that_was_looked_at(synthesized: Synthesized, stack: str) -> None:
    _compare(FOLDER / "prod" / f"{stack}.json", _normalised(synthesized("prod").templates[stack]))


@pytest.mark.parametrize("environment", ["sandbox", "dev", "staging", "prod"])
def test_what_holds_data_keeps_its_logical_id(synthesized: Synthesized, environment: str) -> None:
    names = sorted(name for kind in STATEFUL for name in synthesized(environment).resources(kind))
    _compare(FOLDER / "stateful" / f"{environment}.json", names)


def test_there_is_a_snapshot_of_every_production_stack(synthesized: Synthesized) -> None:
    assert tuple(synthesized("prod").templates) == STACKS


def _compare(file: Path, found: object) -> None:
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert json.loads(file.read_text()) == json.loads(text), f"{file.name} differs: UPDATE_SNAPSHOTS=1 writes it anew"


def _normalised(template: dict[str, Any]) -> object:
    """Mask what changes with the code alone: hashes of assets, of versions, and the text of state machines."""
    masked = json.loads(_CONTENT_HASH.sub("<hash>", json.dumps(template)))
    for resource in masked["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            resource["Properties"]["DefinitionString"] = "<the ASL file>"
    return masked
