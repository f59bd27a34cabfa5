"""The scripted providers as a process, until SIGTERM. See the package for how a prompt chooses its script."""

import argparse
import signal
import sys
import threading

from tests.fakes.providers.server import ProviderServer


def main() -> int:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.providers", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one, which the first line tells")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ProviderServer(port=options.port) as provider:
        sys.stdout.write(f"{provider.url}\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
