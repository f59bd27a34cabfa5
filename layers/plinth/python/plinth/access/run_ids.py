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
