"""What a Python function finds in its execution environment: the packages, folders and variables of AWS."""

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud import ministack
from local.processes import LOOPBACK

# What the AWS Python runtime offers without a layer: boto3 and what boto3 needs.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


@dataclass(frozen=True)
class WorkerSettings:
    """What every worker shares: the folders it reads and the variables it gets besides its function's own."""

    unpacked_folder: Path
    runtime_folder: Path
    environment: Mapping[str, str]


def link_runtime(folder: Path) -> None:
    """Fill `folder` with links to the packages of the AWS runtime, so that a worker can import those and no others."""
    folder.mkdir(parents=True)
    for name in RUNTIME_PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ministack.MinistackChangedError(f"{name} is not installed beside ministack: install boto3")
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)


def import_folders(layers: Sequence[Path]) -> list[str]:
    """Return the folders of each layer that AWS puts on sys.path, the last layer first."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    names = ("python", f"python/lib/{version}/site-packages")
    return [str(layer / name) for layer in layers for name in names if (layer / name).is_dir()]


def variables(
    config: Mapping[str, Any], settings: WorkerSettings, *, code: Path, layers: Sequence[Path], scratch: Path
) -> dict[str, str]:
    """Return what AWS sets, then the function's own variables, then the launcher's; nothing of the host's.

    PLINTH_OPT lists the folders of the layers, which AWS merges into /opt; `scratch` is the function's own TMPDIR.
    """
    runtime = ministack.module("core.lambda_runtime")
    region = config["FunctionArn"].split(":")[3]
    own = config.get("Environment", {}).get("Variables", {})
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(scratch),
        "LAMBDA_TASK_ROOT": str(code),
        "PLINTH_OPT": os.pathsep.join(str(layer) for layer in layers),
        "_HANDLER": config["Handler"],
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'python')}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": str(config.get("Version", "$LATEST")),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config['FunctionName']}",
        "AWS_LAMBDA_LOG_STREAM_NAME": scratch.name,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{os.environ['GATEWAY_PORT']}",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        **runtime.execution_credentials(config),
        **{name: value for name, value in own.items() if name not in runtime._RESERVED_RUNTIME_ENV_VARS},
        **settings.environment,
    }
