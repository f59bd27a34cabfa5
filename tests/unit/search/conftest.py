"""An engine of its own for each test, in this process and in a process that a test may kill."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from local.processes import LOOPBACK, Child, free_port, start, stop, wait_healthy

Run = Callable[..., tuple[OpenSearch, Child]]


@pytest.fixture
def run_engine(tmp_path: Path) -> Iterator[Run]:
    """Start engines on the test's one data directory, with any further options; all end with the test."""
    started: list[tuple[OpenSearch, Child]] = []

    def run(*options: str) -> tuple[OpenSearch, Child]:
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "local.search",
            "--port",
            str(port),
            "--data",
            str(tmp_path / "data"),
            *options,
        ]
        child = start("search", command, env=os.environ, log_path=tmp_path / "search.log")
        started.append((OpenSearch(f"http://{LOOPBACK}:{port}", max_retries=0), child))
        wait_healthy(f"http://{LOOPBACK}:{port}/_cluster/health", child, 20)
        return started[-1]

    yield run
    stop(child for _, child in started)
    for client, _ in started:
        client.close()
