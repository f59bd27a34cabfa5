"""How the files of an export come into a folder, and how it is known that they are all there and as they were."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import msgspec

from client.errors import ExportError
from plinth.contracts.exporting import Manifest

RENAMED = "renamed.json"
"""Which file of the folder is which document, where its name could not be that of a file."""
_MANIFEST = "manifest.json"
_MOVED = "renamed"
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")


def saved(files: Iterable[tuple[str, bytes]], folder: Path) -> Manifest:
    """Write the files and return their manifest; raise `ExportError` where one is missing or was changed.

    What no file can be named after comes into `renamed/`, and `RENAMED` tells where. A file that the manifest does not
    name is a page that was written twice: it is left out.
    """
    digests: dict[str, str] = {}
    places: dict[str, Path] = {}
    manifest: Manifest | None = None
    for path, body in files:
        places[path] = _written(path, body, folder, number=len(places))
        digests[path] = hashlib.sha256(body).hexdigest()
        manifest = msgspec.json.decode(body, type=Manifest) if path == _MANIFEST else manifest
    if manifest is None:
        raise ExportError("the export has no manifest: ask for another one")
    wrong = [each.path for each in manifest.files if digests.get(each.path) != each.sha256]
    if wrong:
        raise ExportError(f"{len(wrong)} files are missing or not as they were written, the first is {wrong[0]}")
    for path in digests.keys() - {each.path for each in manifest.files} - {_MANIFEST}:
        places.pop(path).unlink()
    named = {each.path: f"documents/{each.name}" for each in manifest.files if each.name}
    moved = {
        named.get(path, path): place
        for path, place in places.items()
        if place.parent == folder / _MOVED or path in named
    }
    if moved:
        told = {name: place.relative_to(folder).as_posix() for name, place in moved.items()}
        (folder / RENAMED).write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
    return manifest


def _written(path: str, body: bytes, folder: Path, *, number: int) -> Path:
    place = folder.joinpath(*map(_segment, path.split("/")))
    try:
        return _put(place, body)
    except OSError:  # the name is too long for this disk, or another file or folder has it
        ending = "".join(_ENDING.findall(path)[:1])
        return _put(folder / _MOVED / f"{number:06d}{ending}", body)


def _put(place: Path, body: bytes) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        file.write(body)
    return place


def _segment(name: str) -> str:
    """Return a part of a path that stays inside the folder: S3 takes any name for an object."""
    return quote(name, safe="").replace(".", "%2E") or "%00" if name in ("", ".", "..") else name.replace("\0", "%00")
