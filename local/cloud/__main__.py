"""Run the embedded cloud: `python -m local.cloud --port P --home DIR --search-endpoint HOST:PORT`."""

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from local.cloud import ACCOUNT, REGION
from local.processes import LOOPBACK, LocalProcessError, die_with_parent, require_free_port


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; unknown options are refused."""
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument("--home", type=Path, required=True, help="folder for state/, objects/ and tmp/")
    parser.add_argument("--search-endpoint", required=True, help="host:port that OpenSearch domains answer at")
    parser.add_argument(
        "--environment",
        type=variable,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="variable given to every Lambda worker, over the function's own; may be repeated",
    )
    parser.add_argument("--strict", action="store_true", help="refuse what AWS refuses though ministack allows it")
    parser.add_argument("--enforce-roles", action="store_true", help="let functions do what their roles say only")
    return parser.parse_args(arguments)


def variable(text: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def ministack_environment(*, port: int, home: Path, search_endpoint: str, enforce: bool = False) -> dict[str, str]:
    """Return the whole environment of ministack: nothing of the host's but its PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_OPENSEARCH_ENDPOINT": search_endpoint,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "objects"),
        "TMPDIR": str(home / "tmp"),
        "LOG_LEVEL": "WARNING",
        "AUTH": str(enforce).lower(),
    }


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT, then save the state and end."""
    options = parse(arguments)
    die_with_parent()
    home: Path = options.home.resolve()
    try:
        require_free_port(options.port, "the embedded cloud")
    except LocalProcessError as error:
        sys.exit(str(error))
    shutil.rmtree(home / "tmp", ignore_errors=True)
    (home / "tmp").mkdir(parents=True)
    os.environ.clear()
    os.environ.update(
        ministack_environment(
            port=options.port, home=home, search_endpoint=options.search_endpoint, enforce=options.enforce_roles
        )
    )
    from local.cloud.serving import serve  # noqa: PLC0415 - ministack reads its environment when it is imported

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(port=options.port, home=home, worker_environment=dict(options.environment), be_strict=options.strict)


if __name__ == "__main__":
    main(sys.argv[1:])
