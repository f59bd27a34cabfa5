"""What a policy by tenant would say of requests as they were sent: keys, prefixes and filters, evaluated as IAM would.

The statement, with the tenant of a session's tag for `{tenant}`:
dynamodb: ForAllValues:StringLike dynamodb:LeadingKeys KEYS; s3: the object's key or listed prefix like one of OBJECTS.
Of the search engine, which knows no such condition, the request's own filters and documents are looked at.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from plinth.contracts.tenant import Tenant

KEYS = ("{tenant}", "{tenant}#*", "TENANT#{tenant}")
OBJECTS = ("{tenant}/*", "tenants/{tenant}/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request: `service` is dynamodb, s3 or opensearch, `call` the operation, or method and path."""

    service: str
    call: str
    params: Mapping[str, Any]


def refusal(tenant: Tenant, sent: Sent) -> str | None:
    """Return why the policy refuses the request, or None where it keeps to the tenant's keys."""
    match sent.service:
        case "dynamodb":
            found, allowed = list(leading_keys(sent)), KEYS
        case "s3":
            found, allowed = list(_objects(sent)), OBJECTS
        case _:
            found, allowed = list(_tenants_of(sent)), ("{tenant}",)
    if not found:
        return f"{sent.service} {sent.call}: names no key"
    likes = [like.format(tenant=tenant.id) for like in allowed]
    foreign = next((key for key in found if not any(fnmatchcase(key, like) for like in likes)), None)
    return None if foreign is None else f"{sent.service} {sent.call}: {foreign}"


def leading_keys(sent: Sent) -> Iterator[str]:
    """Yield the partition keys of a DynamoDB request; a scan has none, and so is never allowed."""
    params = sent.params
    for write in params.get("TransactItems", ()):
        (part,) = write.values()
        yield _pk(part.get("Key") or part["Item"])
    for batch in params.get("RequestItems", {}).values():
        for key in batch["Keys"] if isinstance(batch, Mapping) else batch:
            request = key.get("DeleteRequest", {}).get("Key") or key.get("PutRequest", {}).get("Item") or key
            yield _pk(request)
    if "Key" in params or "Item" in params:
        yield _pk(params.get("Key") or params["Item"])
    if "KeyConditionExpression" in params:
        values = params["ExpressionAttributeValues"]
        yield str((values.get(":pk") or values.get(":partition"))["S"])


def _pk(key: Mapping[str, Any]) -> str:
    return str(key["pk"]["S"])


def _objects(sent: Sent) -> Iterator[str]:
    params = sent.params
    for name in ("Key", "Prefix"):
        if name in params:
            yield str(params[name])
    yield from (each["Key"] for each in params.get("Delete", {}).get("Objects", ()))
    if "CopySource" in params:
        yield str(params["CopySource"]["Key"])


def _tenants_of(sent: Sent) -> Iterator[str]:
    """Yield the tenants that a search is filtered by, or that documents are written for; "*" where it has no filter."""
    body = sent.params["body"]
    parts = [json.loads(line) for line in body.splitlines() if line] if isinstance(body, bytes | str) else [body]
    for part in parts:
        if "query" in part:
            yield next(_terms(part["query"]), "*")
        for action in ("index", "create", "delete"):
            if isinstance(part.get(action), Mapping) and "_id" in part[action]:
                yield str(part[action]["_id"]).partition(":")[0]
        if "tenant" in part:
            yield str(part["tenant"])


def _terms(query: object) -> Iterator[str]:
    """Yield the tenants of `term` filters that every hit must match."""
    if isinstance(query, Mapping):
        for name, inner in query.items():
            if name == "term" and "tenant" in inner:
                yield str(inner["tenant"])
            elif name not in ("should", "must_not"):
                yield from _terms(inner)
    elif isinstance(query, list):
        for each in query:
            yield from _terms(each)
