"""Which refusals and liberties of AWS are imposed on ministack, which is kinder, so that green tests do not lie."""

from local.cloud.runtime import WorkerSettings
from local.cloud.strict import busy_tables, crashes, events, functions, gateway, state_machines, tables
from local.cloud.strict.chances import Fate


def apply(settings: WorkerSettings) -> Fate:
    """Impose every rule; return what decides those that are left to chance."""
    fate = Fate()
    crashes.apply(settings, fate)
    functions.apply(fate)
    gateway.apply()
    state_machines.apply(fate)
    tables.apply()
    busy_tables.apply(fate)
    events.apply(fate)
    return fate
