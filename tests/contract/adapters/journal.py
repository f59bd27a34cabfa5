"""A run's ports over one store, as the contract tests hold them."""

from dataclasses import dataclass
from itertools import count

from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.ports.approvals import Approvals
from plinth.ports.runs import Executions, RunLog, Runs
from tests.fakes.clock import FakeClock

_numbers = count(1)


@dataclass
class Journal:
    """The four ports over one store, and a second `log` as another process would hold it."""

    runs: Runs
    executions: Executions
    log: RunLog
    elsewhere: RunLog
    approvals: Approvals


def new_run(tenant: Tenant, clock: FakeClock, *, seconds: float = 270) -> Run:
    return Run(id=f"run_{next(_numbers):026d}", tenant=tenant, epoch=1, deadline=clock.now() + seconds)
