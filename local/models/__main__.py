"""The model server process: llama.cpp behind the SageMaker runtime's HTTP surface, on loopback.

`python -m local.models --port 4603 --model-file model.gguf --endpoint plinth-model`
"""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from local.cloud import REGION
from local.models.async_inference import AsyncInferences
from local.models.engine import LlamaEngine
from local.models.outside import EmbeddedCloud
from local.models.server import SageMakerFacade
from local.processes import LOOPBACK, die_with_parent

INFER_STACK = "plinth-local-infer"
_GRACE_SECONDS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one model until SIGTERM; the exit code is 1 if the model can't be loaded."""
    options = _options(arguments)
    die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    model_file: Path = options.model_file
    engine = LlamaEngine(model_file, alias=options.alias or options.endpoint)
    facade = SageMakerFacade(options.endpoint, engine=engine, inferences=_inferences(options.cloud))
    server = uvicorn.Server(
        uvicorn.Config(
            facade.application(on_start=lambda: engine.start(on_failure=end)),
            host=LOOPBACK,
            port=options.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)  # uvicorn raises the signal once more when it has shut down
    server.run()
    engine.stop()
    if engine.error is not None:
        logging.getLogger("local.models").error("%s", engine.error)
        return 1
    return 0


def _inferences(cloud_url: str | None) -> AsyncInferences | None:
    return AsyncInferences(EmbeddedCloud(cloud_url, region=REGION, stack=INFER_STACK)) if cloud_url else None


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.models", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model-file", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--endpoint", required=True, help="name of the SageMaker endpoint to stand in for")
    parser.add_argument("--cloud", help="URL of the embedded cloud, to be an asynchronous endpoint too")
    parser.add_argument("--alias", help="model id in the answers (default: the endpoint's name)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
