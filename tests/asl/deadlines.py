"""How long each call that leaves a function may take at worst: what times out connecting, reading, and again."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.config import Config
from opensearchpy import OpenSearch

SOURCES = (Path("layers/plinth/python/plinth"), Path("functions"))

# botocore's standard mode waits up to 2 ** retries seconds times a random number below 1, at most 20 s (retries guide).
LONGEST_PAUSE_SECONDS = 20.0


def worst_seconds(config: Config) -> float:
    """Return how long one call of a boto3 client takes at most: every attempt and every pause between two."""
    settings: Any = config
    attempts = int(settings.retries["total_max_attempts"])
    pauses = sum(min(2.0**retry, LONGEST_PAUSE_SECONDS) for retry in range(attempts - 1))
    return float(attempts * (settings.connect_timeout + settings.read_timeout) + pauses)


def worst_search_seconds(client: OpenSearch) -> float:
    """Return the same for a search client, whose timeout counts for connecting and again for reading."""
    transport: Any = client.transport
    seconds = transport.get_connection().timeout
    return float((transport.max_retries + 1) * 2 * seconds)


def boto3_clients(source: str) -> Iterator[str | None]:
    """Yield what each call of `boto3.client` or `.resource` in a module is given as its config, as it is written."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "boto3" and node.func.attr != "Session":
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            yield given.get("config")


def sources() -> list[Path]:
    """Return every module that runs in a function."""
    return sorted(path for folder in SOURCES for path in folder.rglob("*.py"))
