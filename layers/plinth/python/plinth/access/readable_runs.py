"""Which runs a caller may read: its tenant's, as far as it holds every access label that the asker held."""

from plinth.access.authentication import Caller
from plinth.access.run_ids import is_run_id
from plinth.contracts.runs import RunRecord
from plinth.errors import NotFoundError
from plinth.ports.runs import Runs


def readable_run(runs: Runs, caller: Caller, run_id: str) -> RunRecord:
    """Return the run, or raise `NotFoundError`, the same for one that is absent, foreign, of more labels or going.

    A run is going while the erasure of its user runs.

    An answer may say what a labelled passage says, so a run is as closed as what its asker could see.
    """
    absent = NotFoundError(f"no run {run_id}")
    if not is_run_id(run_id):
        raise absent
    record = runs.get(caller.tenant, run_id)
    if not set(record.request.labels) <= set(caller.labels) or record.request.user in caller.erasing_users:
        raise absent
    return record


def own_run(runs: Runs, caller: Caller, run_id: str) -> RunRecord:
    """Return the run if the caller's user asked for it; to anybody else it is as absent as to a reader without labels.

    Only that user may say what is done in its name.
    """
    record = readable_run(runs, caller, run_id)
    if record.request.user != caller.user:
        raise NotFoundError(f"no run {run_id}")
    return record
