"""Which processes make up the local stack, with which command lines, environments and health checks."""

import sys
from collections.abc import Mapping
from pathlib import Path

from local.cloud import REGION
from local.places import REPOSITORY, Ports, enforces_roles, host_variables, models_elsewhere, noted_searches
from local.processes import LOOPBACK
from local.supervision import WantedProcess

MODEL_ENDPOINT = "plinth-local"
EDGE = "edge"
_MODEL_SECONDS = 120.0


def behind_the_edge(home: Path, *, ports: Ports, model_file: Path, strict: bool) -> tuple[WantedProcess, ...]:
    """Return the search engine, the model server and the embedded cloud: what a deployment needs."""
    variables = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": ports.models_url, **models_elsewhere()}
    return (
        _process(
            "search",
            (
                *("--port", str(ports.search), "--data", str(home / "search")),
                *(("--note-requests", str(noted_searches(home))) if strict else ()),
            ),
            home=home,
            health_url=f"{ports.search_url}/_cluster/health",
        ),
        _process(
            "models",
            (
                *("--port", str(ports.models), "--model-file", str(model_file)),
                *("--endpoint", MODEL_ENDPOINT, "--cloud", ports.cloud_url),
            ),
            home=home,
            health_url=f"{ports.models_url}/health",
        ),
        _process(
            "cloud",
            (
                *("--port", str(ports.cloud), "--home", str(home)),
                *("--search-endpoint", f"{LOOPBACK}:{ports.search}"),
                *(text for name, value in variables.items() for text in ("--environment", f"{name}={value}")),
                *(("--strict",) if strict else ()),
                *(("--enforce-roles",) if enforces_roles(strict=strict) else ()),
            ),
            home=home,
            health_url=f"{ports.cloud_url}/_ministack/health",
        ),
    )


def edge(home: Path, *, ports: Ports, outputs: Mapping[str, str], strict: bool) -> WantedProcess:
    """Return the edge in front of a deployed stack; the relay in it is given what its function would be given."""
    variables = {
        "AWS_ENDPOINT_URL": ports.cloud_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PLINTH_ENVIRONMENT": "local",
        "PLINTH_TENANTS_TABLE": outputs["TenantsTable"],
        "PLINTH_RUNS_TABLE": outputs["RunsTable"],
    }
    api_url = f"{ports.cloud_url}/_aws/execute-api/{outputs['RestApiId']}/{outputs['Stage']}"
    return _process(
        EDGE,
        (
            *("--port", str(ports.edge), "--api-url", api_url, "--console", str(REPOSITORY / "console")),
            *("--environment", *(f"{name}={value}" for name, value in variables.items())),
            *(("--strict",) if strict else ()),
        ),
        home=home,
        health_url=f"{ports.edge_url}/edge/health",
    )


def _process(name: str, options: tuple[str, ...], *, home: Path, health_url: str) -> WantedProcess:
    return WantedProcess(
        name=name,
        argv=(sys.executable, "-P", "-m", f"local.{name}", *options),
        env=host_variables(),
        health_url=health_url,
        log=str(home / "logs" / f"{name}.log"),
        start_seconds=_MODEL_SECONDS,
    )
