"""Where the content of Lambda layers is kept between runs: one file per content, beside ministack's state."""

import base64
import os
from pathlib import Path
from typing import Any

from local.cloud import ministack

_FILE = "plinth_layer_file"


def keep_in_files() -> None:
    """Keep layers out of ministack's JSON, where 1.5.33 writes each as base64: 200 MB took 3 s at every stop."""
    service = ministack.module("services.lambda_svc")
    ministack.require(service, "get_state", "_restore_state")
    get_state, restore = service.get_state, service._restore_state
    folder = Path(os.environ["STATE_DIR"]) / "layers"

    def get_state_without_content() -> dict[str, Any]:
        state: dict[str, Any] = get_state()
        folder.mkdir(parents=True, exist_ok=True)
        versions = [version for version in _versions(state) if version.get("_zip_data")]
        kept = {_write(folder, version) for version in versions}
        for file in folder.iterdir():
            if file not in kept:
                file.unlink()
        return state

    def restore_with_content(state: dict[str, Any]) -> None:
        for version in _versions(state):
            if isinstance(version.get("_zip_data"), dict):
                version["_zip_data"] = (folder / version["_zip_data"][_FILE]).read_bytes()
        restore(state)

    ministack.replace(service, "get_state", get_state_without_content)
    ministack.replace(service, "_restore_state", restore_with_content)


def _versions(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [version for layer in state["layers"]._data.values() for version in layer["versions"]]


def _write(folder: Path, version: dict[str, Any]) -> Path:
    """Write the content if it is new, put the name of its file in its place and return the file."""
    file = folder / (base64.b64decode(version["Content"]["CodeSha256"]).hex() + ".zip")
    if not file.exists():
        partial = file.with_suffix(".partial")
        partial.write_bytes(version["_zip_data"])
        partial.rename(file)
    version["_zip_data"] = {_FILE: file.name}
    return file
