"""What a tenants file may say: tiers, tenants, their users and keys; TOML, and unknown fields are refused.

[tiers.free]
requests_per_minute = 60
burst = 20
tokens_per_minute = 100_000
concurrent_runs = 4
priority = "low"
models = ["plinth-local"]
max_output_tokens = 400
cache = "semantic"
tools = ["calculate", "search_memory", "fetch_url"]
fetch_hosts = ["docs.example.org"]
link_hosts = ["*.example.org"]
retention_days = 30
conversation_days = 90
deadline_seconds = 270
max_turns = 5
summary_model = "claude-haiku-5-5"

[tiers.free.budgets]
tenant = { day_usd = 5, month_usd = 50 }
user = { day_usd = 0.5 }

[tenants.demo]
tier = "free"

[tenants.demo.users.alice]
keys = ["laptop"]
expires = 2027-03-31T12:00:00Z
"""

import re
import time
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from client.errors import UsageError
from plinth.contracts.access import LABEL, MAX_TURNS, CachePolicy, ContentPolicy, Priority
from plinth.contracts.hosts import is_entry
from plinth.tools.toolbox import TOOLS

USUAL_SCOPES = ("runs:read", "runs:write", "documents:read", "documents:write", "usage:read")
SCOPES = (*USUAL_SCOPES, "contents:read", "erase", "export", "admin")
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_Kind = TypeVar("_Kind")
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Dollars = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be spent on models, in US dollars, in a calendar day and month of UTC."""

    day_usd: _Dollars | None = None
    month_usd: _Dollars | None = None


class BudgetsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the tenant may spend in all, and each of its users and keys; what is left out has no limit."""

    tenant: Allowed = Allowed()
    user: Allowed = Allowed()
    key: Allowed = Allowed()


class TierEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a tenant may use, under its name in `tiers`; a limit that is left out is none.

    `burst` requests may come at once, and a minute's tokens.
    """

    requests_per_minute: _Count | None = None
    burst: _Count = 1
    tokens_per_minute: _Count | None = None
    concurrent_runs: _Count | None = None
    priority: Priority = Priority.NORMAL
    models: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    max_output_tokens: _Count
    cache: CachePolicy = CachePolicy.EXACT
    budgets: BudgetsEntry = BudgetsEntry()
    tools: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    conversation_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    fetch_hosts: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()
    contents: ContentPolicy = ContentPolicy.REDACTED
    deadline_seconds: Annotated[int, msgspec.Meta(ge=30, le=3600)] = 270
    max_turns: Annotated[int, msgspec.Meta(ge=1, le=MAX_TURNS)] = 5
    summary_model: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's keys by name, what they may be used for, and which access labels they hold.

    `expires` is a date, at whose first second in UTC they end, or a time, in UTC where it names no zone.
    """

    keys: tuple[str, ...] = ()
    scopes: tuple[str, ...] = USUAL_SCOPES
    labels: tuple[str, ...] = ()
    expires: str | None = None

    @property
    def expires_at(self) -> int | None:
        """The end of the keys in Unix seconds; `ValueError` where `expires` is no time."""
        if self.expires is None:
            return None
        said = datetime.fromisoformat(self.expires)
        return int((said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp())


class TenantEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant with the name of its tier."""

    tier: str
    users: dict[str, User] = {}


class TenantsFile(msgspec.Struct, frozen=True):
    """The whole file."""

    tiers: dict[str, TierEntry]
    tenants: dict[str, TenantEntry]


class _Outline(msgspec.Struct, forbid_unknown_fields=True):
    tiers: dict[str, object]
    tenants: dict[str, object]


def read_tenants(path: Path) -> TenantsFile:
    """Return what the file says; raise `UsageError`, naming the file and the field, where it can't be meant."""
    try:
        outline = _converted(msgspec.to_builtins(tomllib.loads(path.read_text())), _Outline, place=str(path))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    content = TenantsFile(
        tiers={
            name: _converted(fields, TierEntry, place=f"{path}: tiers.{name}") for name, fields in outline.tiers.items()
        },
        tenants={
            name: _converted(fields, TenantEntry, place=f"{path}: tenants.{name}")
            for name, fields in outline.tenants.items()
        },
    )
    for complaint in _complaints(content):
        raise UsageError(f"{path}: {complaint}")
    return content


def _converted(value: object, kind: type[_Kind], *, place: str) -> _Kind:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{place}: {error}") from error


def _complaints(content: TenantsFile) -> Iterator[str]:
    for tier, limits in content.tiers.items():
        strange = ", ".join(tool for tool in limits.tools if tool not in TOOLS)
        if strange:
            yield f"tiers.{tier}.tools: there is no tool {strange}, use some of {', '.join(TOOLS)}"
        yield from _bad_labels(f"tiers.{tier}", limits.labels)
        yield from _complaints_of_hosts(tier, limits)
    for tenant, entry in content.tenants.items():
        if not _TENANT.fullmatch(tenant):
            yield f"tenants.{tenant}: use 1 to 32 of a-z, 0-9 and inner hyphens"
        if entry.tier not in content.tiers:
            yield f"tenants.{tenant}.tier: there is no tier {entry.tier!r}, use one of {', '.join(content.tiers)}"
        for user, fields in entry.users.items():
            place = f"tenants.{tenant}.users.{user}"
            if not _NAME.fullmatch(user):
                yield f"{place}: use 1 to 64 letters, digits and . _ @ -"
            if len(set(fields.keys)) < len(fields.keys):
                yield f"{place}.keys: a name stands there twice"
            yield from (f"{place}.keys: {name!r} is no key name" for name in fields.keys if not _NAME.fullmatch(name))
            yield from _bad_labels(place, fields.labels)
            yield from _bad_end(place, fields)
            unknown = ", ".join(scope for scope in fields.scopes if scope not in SCOPES)
            if unknown:
                yield f"{place}.scopes: there is no scope {unknown}, use some of {', '.join(SCOPES)}"


def _bad_labels(place: str, labels: Iterable[str]) -> Iterator[str]:
    for label in labels:
        if not LABEL.fullmatch(label):
            yield f"{place}.labels: {label!r} is no label, use 1 to 64 letters, digits and . _ : @ / -"


def _bad_end(place: str, user: User) -> Iterator[str]:
    try:
        ends_at = user.expires_at
    except ValueError:
        yield f"{place}.expires: {user.expires!r} is no time, use 2027-03-31 or 2027-03-31T12:00:00Z"
    else:
        if ends_at is not None and ends_at <= time.time():
            remedy = "use a later time, or take it out and end its keys by `plinth tenants revoke`"
            yield f"{place}.expires: {user.expires} is past, {remedy}"


def _complaints_of_hosts(tier: str, limits: TierEntry) -> Iterator[str]:
    for field in ("fetch_hosts", "link_hosts"):
        for entry in getattr(limits, field):
            if not is_entry(entry):
                yield f"tiers.{tier}.{field}: {entry!r} is no host, use names like docs.example.org or *.example.org"
    if "fetch_url" in limits.tools and not limits.fetch_hosts:
        yield f"tiers.{tier}.fetch_hosts: list the hosts that fetch_url may read, or leave that tool out"
