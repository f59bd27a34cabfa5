"""What a figure is: samples of a thing and of its reference, taken in turns, and how many references the thing costs.

Absolute times differ from machine to machine and from minute to minute; ratios of neighbours in time hardly do.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class NotMeasurableError(Exception):
    """A benchmark lacks what it needs here; the text says what, and how to provide it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a value should be: at most `limit`, or at least."""

    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether this run met it."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing, measured in `unit` beside `reference`; `details` are further numbers of the same run."""

    name: str
    unit: str
    samples: tuple[float, ...]
    reference: str
    reference_samples: tuple[float, ...]
    details: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    goals: tuple[Goal, ...] = ()

    @property
    def value(self) -> float:
        """The median sample."""
        return statistics.median(self.samples)

    @property
    def ratio(self) -> float:
        """The median of each sample divided by the reference measured next to it."""
        return statistics.median(
            mine / theirs for mine, theirs in zip(self.samples, self.reference_samples, strict=True)
        )


def in_turns(
    subject: Callable[[], float], reference: Callable[[], float], *, times: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the samples of both, taken alternately after one of each that is not counted."""
    pairs = [(subject(), reference()) for _ in range(times + 1)][1:]
    return tuple(mine for mine, _ in pairs), tuple(theirs for _, theirs in pairs)


def cpu_ms(run: Callable[[], object]) -> Callable[[], float]:
    """Return a sampler of the processor time of this process, user and system, in milliseconds."""
    return _sampler(run, time.process_time_ns)


def wall_ms(run: Callable[[], object]) -> Callable[[], float]:
    """Return a sampler of the time that passes, in milliseconds."""
    return _sampler(run, time.perf_counter_ns)


def _sampler(run: Callable[[], object], clock_ns: Callable[[], int]) -> Callable[[], float]:
    def sample() -> float:
        started = clock_ns()
        run()
        return (clock_ns() - started) / 1e6

    return sample
