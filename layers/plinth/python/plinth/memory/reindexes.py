"""Where a tenant's first passages go while its environment has a reindex: what it publishes then is taken along."""

from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.reindexing import Reindex, ReindexState


def is_cancelled(reindex: Reindex) -> bool:
    """Tell whether the new index is the one that goes."""
    return reindex.state is ReindexState.CANCELLING or reindex.leaving == (reindex.target,)


def first_indexes(reindex: Reindex) -> TenantIndexes:
    """Return the indexes of a tenant that has published nothing yet."""
    source, target = reindex.source, reindex.target
    if is_cancelled(reindex):
        return TenantIndexes(live=source)
    if reindex.state is ReindexState.FILLING:
        return TenantIndexes(live=source, other=target)
    if reindex.state in (ReindexState.SWITCHING, ReindexState.SWITCHED):
        return TenantIndexes(live=target, other=source)
    return TenantIndexes(live=target)
