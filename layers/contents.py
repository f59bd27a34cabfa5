"""What is in each Lambda layer, what is left out of it, and what it may weigh."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MAX_FUNCTION_BYTES = 262_144_000
"""All layers of a function and its code, unzipped (Lambda quotas, November 2026: 250 MB, counted as MiB)."""

IN_EVERY_FUNCTION = ("plinth", "vendor")


@dataclass(frozen=True, kw_only=True)
class LayerContents:
    """`lock` names the requirements file, `package` our own source folder, `model` a model of the catalogue.

    `unused` are globs below python/ that are left out on top of tests, caches, headers and install records.
    """

    lock: str | None = None
    package: str | None = None
    model: str | None = None
    model_folder: str = ""
    unused: tuple[str, ...] = ()


_NEVER_USED = (
    "bin",
    "**/__pycache__",
    "**/tests",
    "**/test",
    "**/*.dist-info/RECORD",
    "**/*.dist-info/INSTALLER",
    "**/*.dist-info/REQUESTED",
    "**/*.dist-info/direct_url.json",
    "**/*.dist-info/uv_*.json",
    "**/*.dist-info/sboms",
    ".lock",
)

_ONNX_PARTS = ("tools", "transformers", "quantization", "datasets", "backend")

LAYERS: Mapping[str, LayerContents] = MappingProxyType(
    {
        "plinth": LayerContents(package="layers/plinth/python/plinth"),
        "vendor": LayerContents(lock="layer-vendor.txt"),
        "embedding": LayerContents(
            lock="layer-embedding.txt",
            model="embedding",
            model_folder="models/minilm",
            unused=(
                *(f"onnxruntime/{part}" for part in _ONNX_PARTS),
                "numpy/f2py",
                "numpy/_core/include",
                "numpy/_core/lib",
                "numpy/random/lib",
                "numpy/_pyinstaller",
            ),
        ),
        "parsing": LayerContents(lock="layer-parsing.txt", unused=("selectolax/*.c", "selectolax/*.pyx")),
        "anthropic": LayerContents(lock="layer-anthropic.txt"),
        "web": LayerContents(lock="layer-web.txt"),
    }
)


def unused_globs(layer: LayerContents) -> tuple[str, ...]:
    """Return the globs below python/ that a layer is built without."""
    return (*_NEVER_USED, *layer.unused)


def overweight(sizes_bytes: Mapping[str, int]) -> list[str]:
    """Return a sentence per layer that, with those of every function, is over Lambda's limit."""
    everywhere = sum(sizes_bytes.get(name, 0) for name in IN_EVERY_FUNCTION)
    totals = {name: everywhere + size for name, size in sizes_bytes.items() if name not in IN_EVERY_FUNCTION}
    return [
        f"{' + '.join(IN_EVERY_FUNCTION)} + {name} is {total:,} bytes unzipped and Lambda takes {MAX_FUNCTION_BYTES:,}"
        for name, total in totals.items()
        if total > MAX_FUNCTION_BYTES
    ]
