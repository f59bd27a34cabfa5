"""What a run is called: `run_` and 26 characters that sort by time, 48 bits of milliseconds and 80 random ones."""

import re
import secrets

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_FORM = re.compile(f"run_[{_CROCKFORD}]{{26}}")


def new_run_id(now: float) -> str:
    """Return a fresh id for a run that begins at this Unix time in seconds."""
    number = int(now * 1000) << 80 | secrets.randbits(80)
    return "run_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def is_run_id(text: str) -> bool:
    """Say whether this could name a run, so that anything else is not looked up."""
    return _FORM.fullmatch(text) is not None


def begun_at(run_id: str) -> float:
    """Return the Unix time in seconds at which the run of this id began."""
    number = 0
    for letter in run_id.removeprefix("run_"):
        number = number << 5 | _CROCKFORD.index(letter)
    return (number >> 80) / 1000


def run_of(path: str) -> str | None:
    """Return the run that a route's path is about, if it is about one."""
    name = (path.split("/") + [""] * 4)[3]
    return name if path.startswith("/v1/runs/") and is_run_id(name) else None
