"""What this process has used of what is billed by use: adapters count here, steps look before and after."""

from collections.abc import Mapping
from threading import Lock
from typing import Any


class Meter:
    """Counts up from 0, in any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.read_units = 0.0
        self.write_units = 0.0
        self.searches = 0

    def read(self, answer: Mapping[str, Any]) -> None:
        """Count what DynamoDB says that a read consumed."""
        units = _units(answer)
        with self._lock:
            self.read_units += units

    def wrote(self, answer: Mapping[str, Any]) -> None:
        """Count what DynamoDB says that a write consumed."""
        units = _units(answer)
        with self._lock:
            self.write_units += units

    def searched(self) -> None:
        """Count a search."""
        with self._lock:
            self.searches += 1


def _units(answer: Mapping[str, Any]) -> float:
    consumed: list[dict[str, Any]] | dict[str, Any] = answer.get("ConsumedCapacity") or []
    tables = [consumed] if isinstance(consumed, dict) else consumed
    return sum(float(each.get("CapacityUnits", 0.0)) for each in tables)
