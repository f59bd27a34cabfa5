"""What a SnapStart snapshot of a function holds: modules that are otherwise imported on first use.

Lambda's Python runtime from 3.12 on has `snapshot_restore_py`; elsewhere there is none, and imports stay on first use.
No client is made here, for its credentials and connections would be old when the snapshot is restored. Written after
AWS's documentation of November 2026, not verified on AWS.
"""

from collections.abc import Iterable
from functools import partial
from importlib import import_module
from importlib.util import find_spec

MODEL_CALLS = (
    "boto3",
    "anthropic.resources.messages",
    "plinth.adapters.anthropic_model",
    "plinth.adapters.dynamo_breakers",
    "plinth.adapters.dynamo_run_log",
    "plinth.adapters.dynamo_runs",
    "plinth.adapters.openai_model",
    "plinth.adapters.provider_tokens",
    "plinth.adapters.sagemaker_bearer",
    "plinth.adapters.sagemaker_model",
)
"""What a model call of any provider needs; importing it takes a second, most of it for the Anthropic SDK."""

_HOOKS = "snapshot_restore_py"


def import_before_snapshot(modules: Iterable[str]) -> None:
    """Have the modules imported before the runtime takes its snapshot, where it takes any."""
    if find_spec(_HOOKS):
        import_module(_HOOKS).register_before_snapshot(partial(_import, tuple(modules)))


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        import_module(module)
