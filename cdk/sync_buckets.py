"""Which buckets of others an environment may read: those that cdk.json lists for it by ARN, and what that means."""

import re
from collections.abc import Mapping, Sequence

from cdk.environments import UnknownEnvironmentError
from cdk.permissions import Permission, Permissions
from cdk.step import Touch

_ARN = re.compile(r"arn:[a-z-]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def sync_buckets(listed: Mapping[str, Sequence[str]] | None, environment: str) -> tuple[str, ...]:
    """Return the ARNs for the environment, a sandbox's under `sandbox`; raise for what is no ARN of one bucket."""
    arns = tuple((listed or {}).get(environment.partition("-")[0], ()))
    if odd := next((arn for arn in arns if not _ARN.fullmatch(arn)), None):
        raise UnknownEnvironmentError(f"sync_buckets has {odd!r}: list whole ARNs such as arn:aws:s3:::team-documents")
    return arns


def on_synced(arns: Sequence[str]) -> Permissions:
    """Return what it means to list these buckets and to read their objects; without any, nothing."""
    listing = Permission(actions=("s3:ListBucket",), resources=tuple(arns), variables=named(arns))
    objects = tuple(f"{arn}/*" for arn in arns)
    reading = Permission(actions=("s3:GetObject", "s3:GetObjectTagging"), resources=objects)
    return {
        Touch.LIST_SYNCED: (listing,) if arns else (),
        Touch.READ_SYNCED: (listing, reading) if arns else (),
    }


def named(arns: Sequence[str]) -> Mapping[str, str]:
    """Return the variable that names the buckets, if there are any."""
    names = " ".join(arn.rpartition(":")[2] for arn in arns)
    return {"PLINTH_SYNC_BUCKETS": names} if names else {}
