"""Which keys the laptop keeps when its files or its tables are lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from client.tenants import MadeKey
from client.tenants_file import TenantsFile
from local.credentials import keep_keys
from local.records import Credentials, credentials_file, read

SOURCE = """
[tiers.free]
requests_per_minute = 60
burst = 20
models = ["m"]
max_output_tokens = 400
[tenants.demo]
tier = "free"
[tenants.demo.users.ada]
keys = ["laptop"]
"""


class FakeTable:
    """Remembers which names have a key, as the tenants table does."""

    def __init__(self) -> None:
        self.named: dict[tuple[str, str, str], str] = {}
        self._made = 0

    def apply(self, content: TenantsFile) -> Iterator[MadeKey]:
        for tenant, entry in content.tenants.items():
            for user, fields in entry.users.items():
                for name in fields.keys:
                    if (tenant, user, name) not in self.named:
                        self._made += 1
                        self.named[tenant, user, name] = f"key {self._made}"
                        yield MadeKey(tenant=tenant, user=user, name=name, text=f"key {self._made}")

    def revoke(self, tenant: str, user: str, name: str) -> None:
        self.named.pop((tenant, user, name), None)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "tenants.toml"
    path.write_text(SOURCE)
    return path


def kept(home: Path) -> list[str]:
    return [each.key for each in (read(credentials_file(home), Credentials) or Credentials()).keys]


def test_a_second_start_keeps_the_key(tmp_path: Path, source: Path) -> None:
    table = FakeTable()

    keep_keys(tmp_path, table, source)
    keep_keys(tmp_path, table, source)

    assert kept(tmp_path) == ["key 1"]


def test_a_lost_file_revokes_the_key_that_nobody_knows_and_makes_another(tmp_path: Path, source: Path) -> None:
    table = FakeTable()
    keep_keys(tmp_path, table, source)
    credentials_file(tmp_path).unlink()

    keep_keys(tmp_path, table, source)

    assert kept(tmp_path) == ["key 2"]
    assert list(table.named.values()) == ["key 2"]


def test_a_lost_table_replaces_the_key_that_opens_nothing_any_more(tmp_path: Path, source: Path) -> None:
    keep_keys(tmp_path, FakeTable(), source)
    fresh = FakeTable()
    fresh._made = 5

    keep_keys(tmp_path, fresh, source)

    assert kept(tmp_path) == ["key 6"]
