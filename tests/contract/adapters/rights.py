"""Which rights a request needs, and which a function's role has by the template, on tables and buckets."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plinth.settings import Settings
from tests.cdk.assemblies import Assembly, as_list
from tests.contract.adapters.leading_keys import Sent

Right = tuple[str, str]
"""An action, and the construct that it is on, such as ("dynamodb:GetItem", "Runs")."""
_STORE = re.compile(r"FnGetAtt(\w+?)[0-9A-F]{8}Arn")
_OBJECTS = {
    "PutObject": ("PutObject",),
    "ListObjectsV2": ("ListBucket",),
    "ListObjectVersions": ("ListBucketVersions",),
    "DeleteObjects": ("DeleteObjectVersion",),
    "GetObjectTagging": ("GetObjectVersionTagging",),
}


def needed(sent: Iterable[Sent], settings: Settings) -> set[Right]:
    """Return the rights that the requests need."""
    names = {
        **{getattr(settings, f"{each.lower()}_table"): each for each in ("Tenants", "Ledger", "Runs")},
        **{getattr(settings, f"{each.lower()}_table"): each for each in ("Conversations", "Documents", "Answers")},
        settings.documents_bucket: "Sources",
        settings.work_bucket: "Work",
        settings.exports_bucket: "Exports",
    }
    return {(action, names[store]) for each in sent for action, store in _needed(each)}


def _needed(sent: Sent) -> Iterator[tuple[str, str]]:
    params = sent.params
    if sent.service == "s3":
        versioned = "GetObjectVersion" if params.get("VersionId") else "GetObject"
        for action in _OBJECTS.get(sent.call, (versioned,)):
            yield f"s3:{action}", params["Bucket"]
    elif sent.call == "TransactWriteItems":
        for write in params["TransactItems"]:
            ((kind, part),) = write.items()
            yield f"dynamodb:{kind}Item", part["TableName"]
    elif sent.service == "dynamodb":
        for table in params.get("RequestItems") or [params["TableName"]]:
            yield f"dynamodb:{sent.call}", table


def granted(assembly: Assembly, step: str) -> set[Right]:
    """Return the rights on tables and buckets that the template gives a function's role."""
    return {
        right
        for name, statement in assembly.statements()
        if name.partition("/")[2].startswith(f"{step}RoleDefaultPolicy")
        for right in _rights_of(statement)
    }


def _rights_of(statement: Mapping[str, Any]) -> Iterator[Right]:
    for store in _STORE.findall(json.dumps(statement["Resource"])):
        yield from ((action, store) for action in as_list(statement["Action"]))
