"""Where what belongs to a user is kept in the table of conversations."""

from urllib.parse import quote

from plinth.contracts.tenant import Tenant


def user_pk(tenant: Tenant, user: str) -> str:
    """Return the partition of what belongs to a user, apart from the turns of conversations."""
    return f"{tenant.id}#{quote(user, safe='')}"
