"""How often that which may happen on AWS does happen: seeded chances, which may be set while the cloud runs."""

import hashlib
from typing import Annotated, Any, Literal

import msgspec

Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]


class Crash(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the environment of a function ends: at its `nth` request over HTTP/1 whose name begins with `call`.

    `function` is a part of the function's name. `after` means that the request was carried out and its answer was
    lost. `hang` stops the handler there until it times out. `times` invocations meet it.
    """

    function: str
    call: str = ""
    nth: Annotated[int, msgspec.Meta(ge=1)] = 1
    when: Literal["before", "after"] = "before"
    how: Literal["kill", "hang"] = "kill"
    times: Annotated[int, msgspec.Meta(ge=1)] = 1


class Chances(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left to chance, with the defaults of strict mode; docs/how-to/aws-strict-mode.md lists the rules."""

    seed: int = 1
    transaction_conflicts: Chance = 0.1
    throttled_tables: tuple[str, ...] = ()
    index_lag_seconds: Seconds = 0.5
    duplicate_events: Chance = 0.1
    late_events: Chance = 0.1
    late_event_seconds: Seconds = 0.5
    lost_events: Chance = 0.0
    lost_starts: Chance = 0.0
    concurrency: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 100
    killed_functions: Chance = 0.0
    crash: Crash | None = None


class Fate:
    """The chances in force, and the dice."""

    def __init__(self) -> None:
        self.calls: dict[str, list[str]] = {}
        self.set(Chances())

    def set(self, chances: Chances) -> None:
        """Put these chances in force, with the dice as their seed gives them."""
        self.chances = chances
        self._thrown = 0
        self._crashes_left = chances.crash.times if chances.crash else 0
        self.calls.clear()

    def strikes(self, chance: float) -> bool:
        """Tell whether what has this chance happens now."""
        return chance > 0 and self._throw() < chance

    def below(self, most: float) -> float:
        """Return a number between 0 and `most`."""
        return self._throw() * most

    def one_of(self, count: int) -> int:
        """Return a place among `count`."""
        return int(self._throw() * count)

    def shuffle(self, members: list[Any]) -> None:
        """Put the members into any order."""
        members.sort(key=lambda _: self._throw())

    def _throw(self) -> float:
        """Return the next number of the seed's sequence, at least 0 and below 1."""
        self._thrown += 1
        digest = hashlib.blake2b(f"{self.chances.seed}:{self._thrown}".encode(), digest_size=6).digest()
        return int.from_bytes(digest) / 2**48

    def crash_of(self, function: str) -> Crash | None:
        """Return the crash that the next invocation of a function meets, and count it."""
        planned = self.chances.crash
        if planned and self._crashes_left and planned.function in function:
            self._crashes_left -= 1
            return planned
        if not self.strikes(self.chances.killed_functions):
            return None
        when: Literal["before", "after"] = "before" if self.strikes(0.5) else "after"
        return Crash(function=function, nth=1 + self.one_of(3), when=when)
