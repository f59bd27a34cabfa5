"""Who is turned away from an environment that is nearly full: those of low priority first.

The signal is how many runs of all tenants have not ended, against the environment's capacity. The last places are kept
for those of higher priority. It is a signal and no guarantee: requests of the same instant may pass it together.
"""

from plinth.contracts.access import Priority

SHED_SECONDS = 5.0
"""When a caller who was turned away asks again; runs last some seconds."""

_PERCENT = {Priority.LOW: 70, Priority.NORMAL: 85, Priority.HIGH: 100}


def is_shed(running: int, *, capacity: int, priority: Priority) -> bool:
    """Return whether so many running runs leave no place for one more of this priority."""
    return running * 100 >= capacity * _PERCENT[priority]
