"""Which API keys this laptop keeps: those of the samples' tenants file, whole, in a file that only its owner reads."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from client.tenants import MadeKey
from client.tenants_file import TenantsFile, read_tenants
from local.records import Credentials, StoredKey, credentials_file, read, write


class Tenants(Protocol):
    """The part of `client.tenants.TenantsTable` that keeping keys needs."""

    def apply(self, content: TenantsFile) -> Iterable[MadeKey]:
        """Write the file's rows and return the keys that were made."""
        ...

    def revoke(self, tenant: str, user: str, name: str) -> None:
        """Make the named key useless."""
        ...


def keep_keys(home: Path, tenants: Tenants, source: Path) -> None:
    """Apply the tenants file; a key whose secret is not kept here any more is replaced by a new one."""
    content = read_tenants(source)
    kept = read(credentials_file(home), Credentials) or Credentials()
    known = {(each.tenant, each.user, each.name) for each in kept.keys}
    for tenant, user, name in _names(content):
        if (tenant, user, name) not in known:
            tenants.revoke(tenant, user, name)
    made = [
        StoredKey(tenant=each.tenant, user=each.user, name=each.name, key=each.text) for each in tenants.apply(content)
    ]
    replaced = {(each.tenant, each.user, each.name) for each in made}
    still = [each for each in kept.keys if (each.tenant, each.user, each.name) not in replaced]
    if made:
        write(credentials_file(home), Credentials(keys=(*made, *still)))


def _names(content: TenantsFile) -> list[tuple[str, str, str]]:
    return [
        (tenant, user, name)
        for tenant, entry in content.tenants.items()
        for user, fields in entry.users.items()
        for name in fields.keys
    ]
