"""What stands in for built layers in a test: links to the installed packages that each layer's lock names."""

import re
from importlib.metadata import distribution
from pathlib import Path

from bench.host import REPOSITORY
from layers.contents import LAYERS

_PINNED = re.compile(r"^([\w.-]+)==", re.MULTILINE)


def link_layers(folder: Path) -> None:
    """Fill `folder`/<layer> for every layer, so that a function can import what it will find on AWS and no more."""
    for name, contents in LAYERS.items():
        layer = folder / name
        layer.mkdir()
        if contents.package:
            _link(REPOSITORY / contents.package, layer)
        if contents.lock:
            for package in _PINNED.findall((REPOSITORY / "requirements" / contents.lock).read_text()):
                _link_package(package, layer)


def _link_package(package: str, layer: Path) -> None:
    installed = distribution(package)
    for first in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
        _link(Path(str(installed.locate_file(first))), layer)


def _link(source: Path, layer: Path) -> None:
    link = layer / source.name
    if not link.exists():
        link.symlink_to(source)
