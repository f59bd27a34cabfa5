"""What is imported before a SnapStart snapshot is taken."""

import subprocess
import sys

import pytest

_RUNTIME = """
import sys, types
hooks = types.ModuleType("snapshot_restore_py")
hooks.__spec__ = types.SimpleNamespace(name="snapshot_restore_py")
waiting = []
hooks.register_before_snapshot = waiting.append
"""
_SNAPSHOT = """
import functions.call_model.handler
before = "anthropic" in sys.modules
for hook in waiting:
    hook()
print(before, "anthropic.resources.messages.messages" in sys.modules)
"""


@pytest.mark.parametrize(
    ("with_hooks", "known"), [('sys.modules["snapshot_restore_py"] = hooks', "False True"), ("", "False False")]
)
def test_a_snapshot_holds_the_model_sdk_which_is_else_imported_on_first_use(with_hooks: str, known: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUNTIME + with_hooks + _SNAPSHOT], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == known
