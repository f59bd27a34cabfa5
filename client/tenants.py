"""How a tenants file becomes rows: tiers are spelled out in each tenant's row, keys are made once and never again.

Rows: `TENANT#<id>` / `TENANT` {tier}, `TENANT#<id>` / `NAMEDKEY#<user>#<name>` {key_id}, `KEY#<key id>` / `KEY`.
The named row remembers which key a name stands for, so that applying a file twice makes no second key.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.tenants_file import Allowed, BudgetsEntry, TenantsFile, TierEntry, User
from plinth.access.keys import ApiKey, make_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UniversalAttributeValueTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A key that was just made: this is the only time that `text` is known."""

    tenant: str
    user: str
    name: str
    text: str


class TenantsTable:
    """The tenants table of one environment."""

    def __init__(self, dynamodb: "DynamoDBClient", *, table: str, environment: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._environment = environment

    def apply(self, content: TenantsFile) -> Iterator[MadeKey]:
        """Write every tenant's tier and users, and yield each key right after it was made.

        Nothing is removed: keys and tenants that the file does not name stay as they are.
        """
        revision = time.time_ns() // 1_000_000
        for tenant, entry in content.tenants.items():
            tier = _tier(entry.tier, content.tiers[entry.tier], revision=revision)
            self._set_tier(tenant, tier)
            for user, fields in entry.users.items():
                for name in fields.keys:
                    yield from self._key(tenant, user, fields, name)

    def _key(self, tenant: str, user: str, fields: User, name: str) -> Iterator[MadeKey]:
        known = self._dynamodb.get_item(
            TableName=self._table,
            Key={"pk": {"S": f"TENANT#{tenant}"}, "sk": {"S": f"NAMEDKEY#{user}#{name}"}},
            ConsistentRead=True,
        )
        if "Item" in known:
            self._set_rights(known["Item"]["key_id"].get("S", ""), fields)
            return
        fresh = make_key(self._environment)
        self._put(f"KEY#{fresh.id}", "KEY", _key_row(tenant, user, fields, fresh))
        self._put(f"TENANT#{tenant}", f"NAMEDKEY#{user}#{name}", {"key_id": {"S": fresh.id}})
        yield MadeKey(tenant=tenant, user=user, name=name, text=fresh.text)

    def key_names(self, tenant: str, user: str) -> list[str]:
        """Return the names of the user's keys, also of those that have ended."""
        prefix = f"NAMEDKEY#{user}#"
        found = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :tenant AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":tenant": {"S": f"TENANT#{tenant}"}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        return [item["sk"].get("S", "").removeprefix(prefix) for item in found["Items"]]

    def revoke(self, tenant: str, user: str, name: str) -> None:
        """Make the named key useless at once, if there is one; applying the file again makes another.

        The key goes before its name: what is cut off in between can be done again.
        """
        named = {"pk": {"S": f"TENANT#{tenant}"}, "sk": {"S": f"NAMEDKEY#{user}#{name}"}}
        known = self._dynamodb.get_item(TableName=self._table, Key=named, ConsistentRead=True)
        if "Item" in known:
            key = {"pk": {"S": f"KEY#{known['Item']['key_id'].get('S', '')}"}, "sk": {"S": "KEY"}}
            self._dynamodb.delete_item(TableName=self._table, Key=key)
            self._dynamodb.delete_item(TableName=self._table, Key=named)

    def _set_tier(self, tenant: str, tier: "dict[str, UniversalAttributeValueTypeDef]") -> None:
        """Write the tier alone: a tenant or user that is being erased stays hidden."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"TENANT#{tenant}"}, "sk": {"S": "TENANT"}},
            UpdateExpression="SET tier = :tier",
            ExpressionAttributeValues={":tier": {"M": tier}},
        )

    def _set_rights(self, key_id: str, fields: User) -> None:
        """Write what a user may, and until when, to a key that is still there: a deleted one stays deleted."""
        rights = _rights(fields)
        change = "SET " + ", ".join(f"{name} = :{name}" for name in rights)
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}},
                UpdateExpression=change if "expires_at" in rights else f"{change} REMOVE expires_at",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={f":{name}": value for name, value in rights.items()},
            )

    def _put(self, pk: str, sk: str, item: "dict[str, UniversalAttributeValueTypeDef]") -> None:
        self._dynamodb.put_item(TableName=self._table, Item={"pk": {"S": pk}, "sk": {"S": sk}, **item})


def _key_row(tenant: str, user: str, fields: User, key: ApiKey) -> "dict[str, UniversalAttributeValueTypeDef]":
    return {
        "tenant": {"S": tenant},
        "user": {"S": user},
        "secret_sha256": {"S": key.secret_sha256},
        **_rights(fields),
    }


def _rights(fields: User) -> "dict[str, UniversalAttributeValueTypeDef]":
    ends_at = fields.expires_at
    return {
        "scopes": _texts(fields.scopes),
        "labels": _texts(fields.labels),
        **({} if ends_at is None else {"expires_at": {"N": str(ends_at)}}),
    }


def _texts(texts: Iterable[str]) -> "UniversalAttributeValueTypeDef":
    return {"L": [{"S": text} for text in texts]}


def _tier(name: str, tier: TierEntry, *, revision: int) -> "dict[str, UniversalAttributeValueTypeDef]":
    counts = {
        "requests_per_minute": tier.requests_per_minute,
        "burst": tier.burst,
        "tokens_per_minute": tier.tokens_per_minute,
        "concurrent_runs": tier.concurrent_runs,
        "max_output_tokens": tier.max_output_tokens,
        "retention_days": tier.retention_days,
        "conversation_days": tier.conversation_days,
        "deadline_seconds": tier.deadline_seconds,
        "max_turns": tier.max_turns,
    }
    return {
        **{field: {"N": str(count)} for field, count in counts.items() if count is not None},
        "name": {"S": name},
        **({"summary_model": {"S": tier.summary_model}} if tier.summary_model else {}),
        "priority": {"S": tier.priority},
        "models": _texts(tier.models),
        "tools": _texts(tier.tools),
        "labels": _texts(tier.labels),
        "fetch_hosts": _texts(tier.fetch_hosts),
        "link_hosts": _texts(tier.link_hosts),
        "cache": {"S": tier.cache},
        "contents": {"S": tier.contents},
        "budgets": {"M": _budgets(tier.budgets, revision)},
    }


def _budgets(budgets: BudgetsEntry, revision: int) -> "dict[str, UniversalAttributeValueTypeDef]":
    return {
        "revision": {"N": str(revision)},
        "tenant": {"M": _allowance(budgets.tenant)},
        "user": {"M": _allowance(budgets.user)},
        "key": {"M": _allowance(budgets.key)},
    }


def _allowance(allowed: Allowed) -> "dict[str, UniversalAttributeValueTypeDef]":
    dollars = {"day_micro_usd": allowed.day_usd, "month_micro_usd": allowed.month_usd}
    return {name: {"N": str(round(amount * 1_000_000))} for name, amount in dollars.items() if amount is not None}
