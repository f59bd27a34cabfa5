"""A local stack for one measurement: in a place and on ports of its own, and gone afterwards."""

import os
import socket
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local import stack
from local.places import Ports
from local.processes import LOOPBACK
from local.records import Credentials, StackInfo, StoredKey, credentials_file, read


@contextmanager
def fresh_stack(
    *, variables: Mapping[str, str] | None = None, strict: bool = False
) -> Generator[tuple[StackInfo, Path]]:
    """Yield a deployed stack with the small model, and its place; `variables` are set in this process while it runs."""
    told = dict(variables or {})
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    with tempfile.TemporaryDirectory(prefix="plinth-bench-") as folder:
        home = Path(folder)
        try:
            yield stack.up(home, free_ports(), model="small", progress=lambda _told: None, strict=strict), home
        finally:
            stack.down(home)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def keys_of(home: Path) -> Sequence[StoredKey]:
    """Return the keys of the stack in this place."""
    credentials = read(credentials_file(home), Credentials)
    return credentials.keys if credentials else ()


def free_ports() -> Ports:
    """Return the first four free ports in a row."""
    for first in range(20_000, 60_000, 4):
        with ExitStack() as held:
            try:
                for port in range(first, first + 4):
                    held.enter_context(socket.socket()).bind((LOOPBACK, port))
            except OSError:
                continue
            return Ports(edge=first)
    raise RuntimeError("no four free ports in a row")
