"""Where the edge listens and what is behind it: `python -m local.edge --port P --api-url URL --console DIR`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from local.edge.application import build_application
from local.edge.forwarding import Forwarder
from local.edge.strict import ShortHeads, limited
from local.processes import LOOPBACK, die_with_parent
from plinth.relay.application import make_relay
from plinth.wiring import Services

_GRACE_SECONDS = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code is 1 if the port can't be had."""
    options = _parse(arguments)
    die_with_parent()
    os.environ.update(options.environment)
    relay = make_relay(Services())
    application = build_application(
        console=options.console,
        forwarder=Forwarder(options.api_url),
        relay=limited(relay) if options.strict else relay,
    )
    config = uvicorn.Config(
        ShortHeads(application) if options.strict else application,
        host=LOOPBACK,
        port=options.port,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    uvicorn.Server(config).run()
    return 0


def _leave(_signal: int, _frame: object) -> None:
    """Exit with 0 when uvicorn, done shutting down, raises the signal again."""
    sys.exit(0)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.edge", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--api-url", required=True, help="where API Gateway serves the stage; /v1/... is appended")
    parser.add_argument("--console", type=_folder, required=True, help="folder with the console's index.html")
    parser.add_argument(
        "--environment",
        type=_variable,
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="environment variables of the relay function, as the stack gives them to it",
    )
    parser.add_argument("--strict", action="store_true", help="limit streams and heads of requests as AWS does")
    return parser.parse_args(arguments)


def _folder(text: str) -> Path:
    path = Path(text)
    if not (path / "index.html").is_file():
        raise argparse.ArgumentTypeError(f"{text} has no index.html")
    return path


def _variable(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
