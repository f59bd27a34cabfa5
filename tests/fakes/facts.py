"""Facts in memory."""

from collections import defaultdict
from collections.abc import Sequence

from plinth.contracts.conversations import Fact
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.memory.facts import fact_id, fact_text, nearest_facts, newest_first, surplus
from plinth.ports.clock import Clock
from tests.fakes.models import FakeEmbedder


class FakeFacts:
    """`Facts` by tenant and user."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._facts: defaultdict[tuple[Tenant, str], dict[str, Fact]] = defaultdict(dict)

    def keep(
        self, run: Run, user: str, text: str, *, documents: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Fact:
        fact = Fact(
            id=fact_id(text),
            text=fact_text(text),
            at=self._clock.now(),
            run_id=run.id,
            expires_at=run.expires_at,
            documents=tuple(sorted(set(documents))),
            labels=tuple(labels),
        )
        facts = self._facts[run.tenant, user]
        facts[fact.id] = fact
        for each in surplus(facts.values()):
            del facts[each.id]
        return fact

    def all(self, tenant: Tenant, user: str) -> list[Fact]:
        now = self._clock.now()
        return newest_first(fact for fact in self._facts[tenant, user].values() if fact.expires_at > now)

    def nearest(self, tenant: Tenant, user: str, vector: Sequence[float], *, limit: int) -> list[Fact]:
        facts = self.all(tenant, user)
        vectors = FakeEmbedder().embed([fact.text for fact in facts])
        alike = (sum(a * b for a, b in zip(vector, each, strict=True)) for each in vectors)
        return nearest_facts(zip(facts, alike, strict=True), limit=limit)

    def erase(self, tenant: Tenant, user: str, fact_id: str) -> None:
        if not any(fact.id == fact_id for fact in self.all(tenant, user)):
            raise NotFoundError(f"no fact {fact_id}")
        del self._facts[tenant, user][fact_id]
