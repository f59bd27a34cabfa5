"""The CloudFormation templates of an environment, synthesized by the CDK app in a process of its own.

Layers are not looked for: what they hold changes no price, and they need not be built.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from client.errors import UsageError
from client.standing_resources import Resource
from local.places import REPOSITORY

_SECONDS = 300


def templates_of(environment: str) -> dict[str, Mapping[str, Resource]]:
    """Return {stack: {logical id: resource}}; `UsageError` with the app's own words where it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "CDK_OUTDIR": f"{folder}/out",
                "CDK_CONTEXT_JSON": json.dumps({"env": environment}),
                "PLINTH_LAYERS_DIR": f"{folder}/none",
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
            },
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no word"])[-1].removeprefix("plinth: ")
            raise UsageError(
                f"the templates of {environment!r} can't be made: {said} (here: --env NAME, sandbox-OWNER)"
            )
        return {
            file.name.removesuffix(".template.json"): json.loads(file.read_text())["Resources"]
            for file in sorted(Path(folder, "out").glob("*.template.json"))
        }
