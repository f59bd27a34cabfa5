"""What the local stack is told by its environment: its place, ports, model, and whether it enforces roles."""

import os
from dataclasses import dataclass
from pathlib import Path

from local.processes import LOOPBACK, LocalProcessError

REPOSITORY = Path(__file__).resolve().parents[1]
DEFAULT_PORT = 4600
DEFAULT_MODEL = "demo"
_PORTS = 4
_MODELS_ELSEWHERE = ("ANTHROPIC_BASE_URL", "PLINTH_OPENAI_URL", "PLINTH_CATALOGUE")
_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "OMP_WAIT_POLICY")


class SettingError(LocalProcessError):
    """An environment variable of the launcher has a value that can't be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The four loopback ports, in a row from the edge's."""

    edge: int

    @property
    def cloud(self) -> int:
        """Port of the embedded AWS."""
        return self.edge + 1

    @property
    def search(self) -> int:
        """Port of the search engine."""
        return self.edge + 2

    @property
    def models(self) -> int:
        """Port of the model server."""
        return self.edge + 3

    @property
    def edge_url(self) -> str:
        """Where the API and the console are."""
        return f"http://{LOOPBACK}:{self.edge}"

    @property
    def cloud_url(self) -> str:
        """Where the AWS APIs are."""
        return f"http://{LOOPBACK}:{self.cloud}"

    @property
    def search_url(self) -> str:
        """Where the search engine is."""
        return f"http://{LOOPBACK}:{self.search}"

    @property
    def models_url(self) -> str:
        """Where the SageMaker runtime is."""
        return f"http://{LOOPBACK}:{self.models}"


def home_directory() -> Path:
    """PLINTH_HOME, else `.plinth` in the repository."""
    return Path(os.environ.get("PLINTH_HOME") or REPOSITORY / ".plinth").expanduser().resolve()


def noted_searches(home: Path) -> Path:
    """Return where a strict stack's search engine notes the shapes of the requests that it meets."""
    return home / "logs" / "searches.txt"


def chosen_ports() -> Ports:
    """PLINTH_PORT and the three behind it; 4600 to 4603 by default."""
    value = os.environ.get("PLINTH_PORT") or str(DEFAULT_PORT)
    if not (value.isascii() and value.isdigit()) or not 1024 <= int(value) <= 65536 - _PORTS:
        raise SettingError(f"PLINTH_PORT is {value!r}: set it to the first of four free ports, 1024 to 65532")
    return Ports(edge=int(value))


def chosen_model() -> str:
    """PLINTH_LOCAL_MODEL: `demo` (the default) or `small`."""
    value = os.environ.get("PLINTH_LOCAL_MODEL") or DEFAULT_MODEL
    if value not in ("demo", "small"):
        raise SettingError(f"PLINTH_LOCAL_MODEL is {value!r}: set it to demo or small")
    return value


def host_variables() -> dict[str, str]:
    """Return what a local process is given of the host's environment: never a key or a token."""
    return {name: os.environ[name] for name in _HANDED_ON if name in os.environ}


def models_elsewhere() -> dict[str, str]:
    """Return where the host wants the functions to find models: other base URLs, another catalogue; no key."""
    found = {name: os.environ[name] for name in _MODELS_ELSEWHERE if os.environ.get(name)}
    if "PLINTH_CATALOGUE" in found:
        found["PLINTH_CATALOGUE"] = str(_catalogue_file(found["PLINTH_CATALOGUE"]))
    return found


def _catalogue_file(value: str) -> Path:
    """Return the file's whole path: a function runs in a folder of its own."""
    path = Path(value).expanduser().resolve()
    if not path.is_file():
        raise SettingError(f"PLINTH_CATALOGUE names {path}, which is no file: correct it or unset it")
    return path


def enforces_roles(*, strict: bool) -> bool:
    """PLINTH_ENFORCE_ROLES: 1 lets functions do what their roles say and no more; unsaid, a strict stack does so."""
    value = os.environ.get("PLINTH_ENFORCE_ROLES") or str(int(strict))
    if value not in ("0", "1"):
        raise SettingError(f"PLINTH_ENFORCE_ROLES is {value!r}: set it to 0 or 1")
    return value == "1"
