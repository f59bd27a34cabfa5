"""Which refusals of AWS are imposed on ministack, which is kinder than AWS, so that green tests do not lie."""

from local.cloud.strict import functions, gateway, state_machines, tables


def apply() -> None:
    """Impose every rule."""
    functions.apply()
    gateway.apply()
    state_machines.apply()
    tables.apply()
