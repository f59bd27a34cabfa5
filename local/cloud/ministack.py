"""Which ministack release is accepted, and how the launcher reaches and changes the symbols that it patches."""

import importlib
import importlib.metadata
import inspect
from types import ModuleType

VERSION = "1.5.33"


class MinistackChangedError(RuntimeError):
    """Ministack is not what the patches were written for; the message names the symbol or string that is gone."""


def require_version() -> None:
    """Raise MinistackChangedError unless the installed ministack is the one that was tried."""
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise MinistackChangedError(
            f"ministack {installed} is installed but local.cloud patches {VERSION}: "
            f"install ministack=={VERSION}, or try every patch of local/cloud against {installed}."
        )


def module(name: str) -> ModuleType:
    """Import `ministack.<name>`."""
    return importlib.import_module(f"ministack.{name}")


def require(owner: object, *names: str) -> None:
    """Raise MinistackChangedError if `owner`, a module or a class of ministack, lacks one of the names."""
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        where = getattr(owner, "__name__", owner)
        raise MinistackChangedError(f"{where} has no {', '.join(missing)}: this is not ministack {VERSION}")


def replace(owner: object, name: str, value: object) -> None:
    """Put `value` in the place of a symbol, which must exist."""
    require(owner, name)
    setattr(owner, name, value)


def edit(owner: ModuleType, function: str, old: str, new: str, **names: object) -> None:
    """Compile a function of `owner` anew with the text `old`, which must occur once, exchanged for `new`.

    `names` are the objects that the new text refers to; they become globals of the module.
    """
    require(owner, function)
    current = getattr(owner, function)
    source: str = getattr(current, "plinth_source", "") or inspect.getsource(current)
    if source.count(old) != 1:
        raise MinistackChangedError(
            f"{owner.__name__}.{function} does not hold this text once: {old!r}; this is not ministack {VERSION}"
        )
    edited = source.replace(old, new)
    owner.__dict__.update(names)
    exec(compile(edited, f"<{owner.__name__}.{function}, edited>", "exec"), owner.__dict__)  # nosec B102  # noqa: S102
    owner.__dict__[function].plinth_source = edited
