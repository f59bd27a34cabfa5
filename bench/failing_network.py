"""A proxy that speaks AWS and fails as it is told, between a client and the embedded cloud."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.processes import LOOPBACK, free_port, start, stop, wait_healthy


@contextmanager
def proxy_before(cloud_url: str) -> Generator[str]:
    """Yield the address of the proxy; it does no harm until rules are posted to `/_microburst/rules` of it."""
    port = free_port()
    command = [sys.executable, "-m", "microburst", "--upstream", cloud_url, "--host", LOOPBACK, "--port", str(port)]
    child = start("microburst", command, env={}, log_path=Path(os.devnull))
    url = f"http://{LOOPBACK}:{port}"
    try:
        wait_healthy(f"{url}/_microburst/health", child, 30)
        yield url
    finally:
        stop([child])
