"""Which port and data directory the local search engine uses: `python -m local.search --port P --data DIR`."""

import argparse
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from local.processes import die_with_parent
from local.search.engine import DataInUseError, Engine
from local.search.noting import Noting
from local.search.routes import build_application

HOST = "127.0.0.1"


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    options = _parse()
    die_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    # The protocol is named because asyncio turns Nagle's delay (40 ms an answer) off only where it sees TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, options.port))
            engine = Engine(options.data, options.refresh_seconds)
        except (OSError, DataInUseError) as error:
            sys.stderr.write(f"search: cannot start on port {options.port} with {options.data}: {error}\n")
            return 1
        application = build_application(engine)
        noting = Noting(application, options.note_requests) if options.note_requests else application
        config = uvicorn.Config(noting, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listener])
        engine.close()
    return 0


def _leave(_signal: int, _frame: object) -> None:
    """Exit with 0 when uvicorn, done shutting down, raises the signal again."""
    sys.exit(0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.search", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="directory for the indexes, made if missing")
    parser.add_argument("--refresh-seconds", type=float, default=0.0, help="how late writes become visible (default 0)")
    parser.add_argument("--note-requests", type=Path, help="file for the shapes of the requests that are met")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
