"""How a reindex goes on: each call looks at its row, does the next thing, and says what the machine does then.

Every step can be repeated, and a tenant's indexes change by one conditional write, so a crash costs nothing but time.
Once `target` is among a tenant's indexes, no document is published without it; what was published before is copied by
`FillDocument`. So when a pass over the rows finds none that lacks it, none ever will, and searches may read it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from plinth.contracts.indexes import TenantIndexes
from plinth.contracts.reindexing import (
    OVER,
    AdvanceReindexInput,
    AdvanceReindexOutput,
    FilledDocument,
    Reindex,
    ReindexState,
)
from plinth.contracts.tenant import Tenant
from plinth.memory.reindexes import is_cancelled
from plinth.wiring import Services

ROUND = 5_000
"""Documents of one round."""
_LIST_SECONDS = 86_400
"""How long a round's list is surely there: the bucket keeps it for two days."""


def advance(asked: AdvanceReindexInput, services: Services) -> AdvanceReindexOutput:
    """Do what comes next; an id that is not the last one's begins a reindex, once that one is over."""
    reindex = services.indexes.reindex()
    if reindex is None or (reindex.state in OVER and reindex.id != asked.reindex_id):
        reindex = services.indexes.save(_begun(asked, reindex, services))
    if reindex.state in OVER:
        return AdvanceReindexOutput(next="end")
    if reindex.state is ReindexState.FILLING:
        return _fill(reindex, services, since=asked.round)
    return _THEN[reindex.state](reindex, services)


def _begun(asked: AdvanceReindexInput, last: Reindex | None, services: Services) -> Reindex:
    now, number = services.clock.now(), last.number + 1 if last else 1
    return Reindex(
        id=asked.reindex_id,
        number=number,
        state=ReindexState.FILLING,
        source=services.indexes.first().live,
        target=str(replace(services.newest_index, number=number)),
        reread=asked.reread,
        started_at=now,
        changed_at=now,
        revision=last.revision if last else 0,
    )


def _fill(reindex: Reindex, services: Services, *, since: int) -> AdvanceReindexOutput:
    """Let every tenant publish into the target too, and list what it lacks; a round that was cut off comes again."""
    if reindex.round > since and services.clock.now() < reindex.changed_at + _LIST_SECONDS:
        return _round(reindex, services)
    lacking = list(_lacking(reindex, services))
    if not lacking:
        return _switch(_at(replace(reindex, state=ReindexState.SWITCHING), services), services)
    if since and reindex.left and len(lacking) >= reindex.left:
        return AdvanceReindexOutput(next="stuck", round=since)
    planned = replace(
        reindex,
        round=reindex.round + 1,
        left=len(lacking),
        documents=max(reindex.documents, len(lacking)),
        changed_at=services.clock.now(),
    )
    services.fill_lists.put(planned, lacking[:ROUND])
    return _round(services.indexes.save(planned), services)


def _round(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    return AdvanceReindexOutput(
        next="fill",
        round=reindex.round,
        manifest=services.fill_lists.key(reindex),
        at_once=services.settings.imports_at_once,
    )


def _lacking(reindex: Reindex, services: Services) -> Iterator[FilledDocument]:
    target = reindex.target

    def fill(held: TenantIndexes) -> TenantIndexes:
        return held if held.live == target else replace(held, other=target)

    for tenant in _changed(fill, services):
        for each in services.documents.lacking(tenant, target):
            reread = reindex.reread and each.newest and not reindex.round
            yield FilledDocument(
                document=each.version, passages=each.passages, target=target, number=reindex.number, reread=reread
            )


def _switch(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    """Let searches read the target. The old indexes are written on, so that they can be gone back to."""
    target = reindex.target

    def switch(held: TenantIndexes) -> TenantIndexes:
        return held if held.live == target else TenantIndexes(live=target, other=held.live)

    left = {reindex.source, *(held.other for held in _changed(switch, services).values() if held.other)}
    switched = replace(reindex, state=ReindexState.SWITCHED, leaving=tuple(sorted(left)))
    return _wait(_at(switched, services), services)


def _cancel(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    """Let searches read, and documents be published into, the old indexes alone."""
    target = reindex.target

    def go_back(held: TenantIndexes) -> TenantIndexes:
        return TenantIndexes(live=held.other if held.live == target and held.other else held.live)

    _changed(go_back, services)
    return _wait(_at(replace(reindex, state=ReindexState.RELEASED, leaving=(target,)), services), services)


def _keep(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    """Keep the old index for the grace time, then say that there is no way back."""
    if _seconds_left(reindex, services):
        return _wait(reindex, services)
    return _release(services.indexes.save(replace(reindex, state=ReindexState.RELEASING)), services)


def _release(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    """Publish into the target alone; what began before may read and write the old index for another grace time."""
    target = reindex.target

    def release(held: TenantIndexes) -> TenantIndexes:
        return replace(held, other=None) if held.live == target else held

    _changed(release, services)
    return _wait(_at(replace(reindex, state=ReindexState.RELEASED), services), services)


def _remove(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    """Delete what is left, unless somebody still has it: a tenant that began in it late is taken along first."""
    if _seconds_left(reindex, services):
        return _wait(reindex, services)
    held = {name for _, indexes in services.indexes.all() for name in indexes.all}
    cancelled = is_cancelled(reindex)
    if not cancelled and held & set(reindex.leaving):
        late = services.indexes.save(replace(reindex, state=ReindexState.FILLING, left=0))
        return _fill(late, services, since=late.round)
    for name in set(reindex.leaving) - held:
        services.memory.named(name).drop()
    _at(replace(reindex, state=ReindexState.CANCELLED if cancelled else ReindexState.DONE), services)
    return AdvanceReindexOutput(next="end")


_THEN: Mapping[ReindexState, Callable[[Reindex, Services], AdvanceReindexOutput]] = {
    ReindexState.SWITCHING: _switch,
    ReindexState.SWITCHED: _keep,
    ReindexState.CANCELLING: _cancel,
    ReindexState.RELEASING: _release,
    ReindexState.RELEASED: _remove,
}


def _changed(rule: Callable[[TenantIndexes], TenantIndexes], services: Services) -> dict[Tenant, TenantIndexes]:
    """Change every tenant's indexes by the rule, one write each; return them as they are then."""
    changed: dict[Tenant, TenantIndexes] = {}
    for tenant, found in services.indexes.all():
        held: TenantIndexes | None = found
        while held and (after := rule(held)) != held and not services.indexes.change(tenant, held, after):
            held = services.indexes.known(tenant)
        if held:
            changed[tenant] = rule(held)
    return changed


def _at(reindex: Reindex, services: Services) -> Reindex:
    return services.indexes.save(replace(reindex, changed_at=services.clock.now()))


def _seconds_left(reindex: Reindex, services: Services) -> int:
    return max(0, round(reindex.changed_at + services.settings.reindex_grace_seconds - services.clock.now()))


def _wait(reindex: Reindex, services: Services) -> AdvanceReindexOutput:
    """Wait at most a minute at once, so that a cancellation is heard."""
    return AdvanceReindexOutput(
        next="wait", round=reindex.round, wait_seconds=min(60, max(1, _seconds_left(reindex, services)))
    )
