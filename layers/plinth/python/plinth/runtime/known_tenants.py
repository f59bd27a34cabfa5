"""Whether a tenant is there: what comes late, of one that is erased or was, must leave nothing behind."""

from plinth.contracts.tenant import Tenant
from plinth.errors import UnauthenticatedError
from plinth.wiring import Services


def is_known(tenant: Tenant, services: Services) -> bool:
    """Say whether the tenant has its row, and no mark of an erasure in it."""
    try:
        services.tenants.standing(tenant)
    except UnauthenticatedError:
        return False
    return True
