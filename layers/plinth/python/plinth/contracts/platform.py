"""What a run uses beside its models, and what that costs."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of a function used beside its time: its memory in MB, DynamoDB's units, and searches."""

    memory_mb: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    searches: int = 0


class PlatformKind(StrEnum):
    """What is billed, named by its unit. A search has no price of its own: its engine is billed by the hour."""

    API_REQUESTS = "api_requests"
    LAMBDA_REQUESTS = "lambda_requests"
    LAMBDA_GB_SECONDS = "lambda_gb_seconds"
    WORKFLOW_RUNS = "workflow_runs"
    WORKFLOW_GB_SECONDS = "workflow_gb_seconds"
    READ_UNITS = "read_units"
    WRITE_UNITS = "write_units"
    LOG_BYTES = "log_bytes"
    SEARCHES = "searches"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLine:
    """How much of one kind a run used, and what that costs in integer nano-dollars."""

    kind: PlatformKind
    quantity: float
    cost_nano_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformCost:
    """What a run's own work cost at list prices, in integer nano-dollars: one sum, by kind and again by step.

    Counted is the request that asked, and each step until it ended. Left out are readers of the run and its events, log
    bytes, the start of cold functions, and what is billed by the hour.
    """

    cost_nano_usd: int
    lines: tuple[PlatformLine, ...]
    steps: dict[str, int]
