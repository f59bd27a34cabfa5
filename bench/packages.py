"""Which packages each function may load: every package has a row here, and a function has no other.

A new function starts with `ANY_FUNCTION` and boto3; a new package is nobody's until it has a row.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bench.functions import Loaded
from cdk.step import Layer, Step
from cdk.steps import ALL_STEPS
from plinth.chain.catalogue import Provider

ANY_FUNCTION = frozenset({"aws_lambda_powertools", "jmespath", "msgspec", "plinth", "typing_extensions"})
READER = "ReadDocument's child"

_CALLS_MODELS = frozenset({"CallModel", "CheckAnswerable", "SummarizeTurns", "WriteContexts"})
_USES_AWS = frozenset(step.name for step in ALL_STEPS if step.touches)
_SEARCHES = frozenset(step.name for step in ALL_STEPS if step.searches)
_EMBEDS = frozenset(step.name for step in ALL_STEPS if Layer.EMBEDDING in step.layers)

_WITH_BOTO3 = ("boto3", "botocore", "certifi", "dateutil", "s3transfer", "six", "urllib3")
_WITH_OPENSEARCH = ("charset_normalizer", "events", "idna", "opensearchpy", "requests")
_WITH_PYDANTIC = ("annotated_types", "pydantic", "pydantic_core", "typing_inspection")
_WITH_HTTPX2 = ("anyio", "h11", "httpcore2", "httpx2", "idna", "sniffio", "truststore")
_WITH_ANTHROPIC = ("anthropic", "docstring_parser", "jiter", "opentelemetry", *_WITH_HTTPX2, *_WITH_PYDANTIC)
_PARSERS = ("markdown_it", "mdurl", "msgspec", "plinth", "pypdfium2", "pypdfium2_cfg", "pypdfium2_raw", "selectolax")

_ROWS: tuple[tuple[Iterable[str], frozenset[str]], ...] = (
    (_WITH_BOTO3, _USES_AWS),
    (_WITH_OPENSEARCH, _SEARCHES),
    (("tokenizers",), _EMBEDS),
    (("numpy", "onnxruntime"), _EMBEDS - {"SplitDocument"}),
    (_WITH_PYDANTIC, frozenset({"Api", "OpenPassage"})),
    (("anyio", "click", "h11", "idna", "sniffio", "starlette", "uvicorn"), frozenset({"Relay"})),
    (("jsonschema_rs",), _CALLS_MODELS),
)

_FOR_MODELS: Mapping[Provider, Iterable[str]] = MappingProxyType(
    {
        "anthropic": _WITH_ANTHROPIC,
        "openai": _WITH_HTTPX2,
        "sagemaker": (),
        "sagemaker_openai": _WITH_HTTPX2,
    }
)
"""What CallModel may load on top once a model of that provider is asked: an SDK for its own models alone."""


def forbidden(step: Step, loaded: Loaded, *, provider: Provider) -> list[str]:
    """Return a sentence for every package that this function must not load, with the module that imported it."""
    return _told(step.name, loaded, _allowed(step, provider))


def forbidden_to_reader(loaded: Loaded) -> list[str]:
    """Return the same for the child process of ReadDocument: untrusted files meet no client and no model."""
    return _told(READER, loaded, {*_PARSERS, "typing_extensions"})


def heavy(loaded: Loaded) -> list[str]:
    """Return the loaded packages that are not every function's."""
    return sorted(loaded.importers.keys() - ANY_FUNCTION - set(_WITH_BOTO3))


def _allowed(step: Step, provider: Provider) -> set[str]:
    models = _FOR_MODELS[provider] if step.name in _CALLS_MODELS else ()
    own = (package for packages, names in _ROWS if step.name in names for package in packages)
    return {*ANY_FUNCTION, *own, *models}


def _told(name: str, loaded: Loaded, allowed: set[str]) -> list[str]:
    refused = sorted(loaded.importers.keys() - allowed)
    return [f"{name} loads {package}, which {loaded.importers[package]} imports" for package in refused]
