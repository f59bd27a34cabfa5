"""Where a model file is found: an explicit path, else the cache, else the packages that carry it.

`python -m local.models.files demo` prints the path of a file that is there and whose sha256 was seen to be right.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from local.models.catalogue import CATALOGUE, Model
from local.models.digests import is_verified
from local.models.errors import ModelError, ModelFileError, UnknownModelError
from local.models.packages import assemble


def cache_directory() -> Path:
    """PLINTH_CACHE, else ~/.cache/plinth: the folder that clones of the repository share."""
    return Path(os.environ.get("PLINTH_CACHE") or "~/.cache/plinth").expanduser()


def ensure(name: str, *, cache: Path, progress: Callable[[str], None]) -> Path:
    """Return the path of model `small`, `demo` or `embedding`, fetched and verified if it is not in `cache` yet.

    A language model is one .gguf file; the embedding model is a folder with model.onnx and tokenizer.json.
    PLINTH_MODEL_FILE replaces a language model by a file of the caller's own, which has no digest to be held to.
    `progress` receives a line of text before each wait. Raises a ModelError that names the file and the remedy.
    """
    model = CATALOGUE.get(name)
    if model is None:
        raise UnknownModelError(f"no model is called {name!r}: choose one of {', '.join(CATALOGUE)}")
    own = os.environ.get("PLINTH_MODEL_FILE")
    if own and model.kind == "language":
        return _own_file(own)
    return _cached(model, cache=cache, progress=progress)


def _own_file(value: str) -> Path:
    path = Path(value).expanduser().resolve()
    if not path.is_file():
        raise ModelFileError(f"PLINTH_MODEL_FILE names {path}, which is no file: correct it or unset it")
    return path


def _cached(model: Model, *, cache: Path, progress: Callable[[str], None]) -> Path:
    folder = cache / "models" / model.folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / wanted.name for wanted in model.files]
    with _one_at_a_time(cache / "models" / ".lock"):
        for path, wanted in zip(paths, model.files, strict=True):
            if not is_verified(path, wanted):
                assemble(wanted, target=path, wheels=cache / "wheels", progress=progress)
    return folder if model.folder else paths[0]


@contextmanager
def _one_at_a_time(lock: Path) -> Generator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: list[str] | None = None) -> int:
    """Fetch one model and print its path; progress and errors go to stderr."""
    parser = argparse.ArgumentParser(prog="python -m local.models.files", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("model", choices=list(CATALOGUE), help="small for tests, demo for people, embedding for memory")
    name: str = parser.parse_args(arguments).model
    try:
        path = ensure(name, cache=cache_directory(), progress=_tell)
    except ModelError as error:
        _tell(f"error: {error}")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
