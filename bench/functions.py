"""What each function needs before its first answer, read from its own source, and what a fresh interpreter loads."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench import first_use
from bench.host import REPOSITORY
from cdk.step import Step
from plinth.chain.catalogue import Provider
from plinth.wiring import Services

_PLINTH = REPOSITORY / "layers" / "plinth" / "python"
_SERVICES = {
    name
    for each in Services.__mro__
    for name, member in vars(each).items()
    if isinstance(member, cached_property) and not name.startswith("_")
} | {"language_model"}
_NOT_FOLLOWED = ("plinth.wiring", "plinth.adapters", "plinth.contracts")
_LIMIT_SECONDS = 60
_NOT_PACKAGES = sys.stdlib_module_names | {"handler"}
_PYTHONS_OWN = "_sysconfigdata"
_SERVICE = re.compile(r"(?:\b|_)services\.(\w+?)(?:_of)?\b")
_IMPORT = re.compile(r"^from (plinth\.[\w.]+) import (\([^)]*\)|.*)$", re.MULTILINE)
_NAME = re.compile(r"\w+")
_TABLES = ("TENANTS", "RUNS", "CONVERSATIONS", "DOCUMENTS", "ANSWERS", "INFERENCES", "LEDGER")
_FROM_LAYER = {"embedder": ("numpy", "onnxruntime", "tokenizers"), "token_counter": ("tokenizers",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The cost of one start: user and system CPU in milliseconds, peak resident MiB, and what was loaded.

    `importers` names, for every package that is neither Python's nor the function itself, who imported it first.
    """

    cpu_ms: float
    peak_mib: float
    importers: Mapping[str, str]


def services_used(step: Step) -> list[str]:
    """Return the services that the handler's source asks for, in it or in our modules that it imports.

    The search engine's only where the function may touch it: Api knows the route that OpenPassage answers.
    """
    texts = _sources(REPOSITORY / "functions" / step.folder / "handler.py", set())
    own = _SERVICES if step.searches else _SERVICES - {"memory"}
    return sorted({name for text in texts for name in _SERVICE.findall(text)} & own)


def load(step: Step, folders: Sequence[Path], *, provider: Provider, opt: Sequence[Path] = ()) -> Loaded:
    """Start a fresh interpreter that imports the function from `folders` and builds its services.

    `opt` are the layers in which the embedding model is looked for; without them only its libraries are loaded.
    """
    modules = ["handler", *(["uvicorn"] if step.handler == "run.sh" else [])]
    services = services_used(step)
    if not opt:
        modules += sorted({module for name in services for module in _FROM_LAYER.get(name, ())})
        services = [name for name in services if name not in _FROM_LAYER]
    return _run([REPOSITORY / "functions" / step.folder, *folders], modules, services, provider, opt=opt)


def load_reader(folders: Sequence[Path]) -> Loaded:
    """Start what ReadDocument starts for each document: the child process that parses it."""
    return _run(folders, ["plinth.adapters.parsers.__main__"], [], "sagemaker", opt=())


def load_nothing() -> Loaded:
    """Start the same interpreter for nothing: what every function pays."""
    return _run([], [], [], "sagemaker", opt=())


def _run(
    folders: Sequence[Path], modules: Sequence[str], services: Sequence[str], provider: str, *, opt: Sequence[Path]
) -> Loaded:
    arguments = [os.pathsep.join(map(str, each)) for each in (folders, modules, services)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", first_use.__file__, *arguments, provider],
        env=_environment(opt),
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{folders[0].name if folders else 'python'} can't start: {done.stderr.strip()[-1500:]}")
    cpu_ms, peak_mib, *packages = done.stdout.splitlines()[-1].split(" ")
    importers = dict(package.split("<") for package in packages)
    return Loaded(
        cpu_ms=float(cpu_ms),
        peak_mib=float(peak_mib),
        importers={name: by for name, by in importers.items() if by and not _is_pythons_own(name)},
    )


def _is_pythons_own(name: str) -> bool:
    return name in _NOT_PACKAGES or name.startswith(_PYTHONS_OWN)


def _environment(opt: Sequence[Path]) -> dict[str, str]:
    """Return every variable that a function may read; the addresses lead nowhere."""
    nowhere = "http://127.0.0.1:9"
    tables = {f"PLINTH_{name}_TABLE": "t" for name in _TABLES}
    return {
        **tables,
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": nowhere,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": nowhere,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "PLINTH_ENVIRONMENT": "local",
        "PLINTH_DOCUMENTS_BUCKET": "documents",
        "PLINTH_EXPORTS_BUCKET": "work",
        "PLINTH_WORK_BUCKET": "work",
        "PLINTH_SYNC_FUNCTION": "sync",
        "PLINTH_DEAD_LETTER_QUEUE_URL": f"{nowhere}/queue",
        "PLINTH_OPENSEARCH_URL": nowhere,
        "PLINTH_OPENSEARCH_AUTH": "none",
        "PLINTH_DEFAULT_MODEL": "plinth-local",
        "PLINTH_MODEL_ENDPOINT": "plinth-local",
        "PLINTH_ASYNC_ENDPOINT": "plinth-local",
        "PLINTH_RERANK_ENDPOINT": "reranker",
        "PLINTH_ANTHROPIC_SECRET_ARN": "secret",
        "PLINTH_OPENAI_SECRET_ARN": "secret",
        "PLINTH_OPENAI_URL": nowhere,
        "ANTHROPIC_BASE_URL": nowhere,
        "PLINTH_OPT": os.pathsep.join(map(str, opt)),
    }


def _sources(file: Path, seen: set[Path]) -> Iterator[str]:
    if file in seen:
        return
    seen.add(file)
    text = file.read_text()
    yield text
    for module, names in _IMPORT.findall(text):
        for found in _files(module, _NAME.findall(names)):
            yield from _sources(found, seen)


def _files(module: str, names: Iterable[str]) -> list[Path]:
    if module.startswith(_NOT_FOLLOWED):
        return []
    place = _PLINTH.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py", *(place / f"{name}.py" for name in names))
    return [path for path in candidates if path.is_file()]
