"""How the files of an export come into a folder, and how it is known that they are all there and as they were."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import msgspec

from client.errors import ExportError
from plinth.contracts.exporting import Manifest

_MANIFEST = "manifest.json"


def saved(files: Iterable[tuple[str, bytes]], folder: Path) -> Manifest:
    """Write the files and return their manifest; raise `ExportError` where one is missing or was changed.

    A file that the manifest does not name is a page that was written twice: it is left out.
    """
    digests: dict[str, str] = {}
    manifest: Manifest | None = None
    for path, body in files:
        place = folder.joinpath(*map(_segment, path.split("/")))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        digests[path] = hashlib.sha256(body).hexdigest()
        manifest = msgspec.json.decode(body, type=Manifest) if path == _MANIFEST else manifest
    if manifest is None:
        raise ExportError("the export has no manifest: ask for another one")
    wrong = [each.path for each in manifest.files if digests.get(each.path) != each.sha256]
    if wrong:
        raise ExportError(f"{len(wrong)} files are missing or not as they were written, the first is {wrong[0]}")
    for path in digests.keys() - {each.path for each in manifest.files} - {_MANIFEST}:
        folder.joinpath(*map(_segment, path.split("/"))).unlink()
    return manifest


def _segment(name: str) -> str:
    """Return a part of a path that stays inside the folder: S3 takes any name for an object."""
    return quote(name, safe="").replace(".", "%2E") or "%00" if name in ("", ".", "..") else name.replace("\0", "%00")
