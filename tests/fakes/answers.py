"""Cached answers in memory."""

from plinth.contracts.questions import KeptQuestion
from plinth.contracts.runs import CachedAnswer
from plinth.contracts.tenant import Tenant
from plinth.ports.clock import Clock

KEEP_SECONDS = 86_400


class FakeAnswers:
    """`AnswerCache` that forgets after a day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[Tenant, str], tuple[float, CachedAnswer]] = {}
        self._questions: dict[tuple[Tenant, str], tuple[float, KeptQuestion]] = {}

    def get(self, tenant: Tenant, key: str) -> CachedAnswer | None:
        expires_at, cached = self._kept.get((tenant, key), (0.0, None))
        return cached if expires_at > self._clock.now() else None

    def put(self, tenant: Tenant, key: str, cached: CachedAnswer) -> None:
        self._kept[tenant, key] = (self._clock.now() + KEEP_SECONDS, cached)

    def kept_question(self, tenant: Tenant, near_key: str) -> KeptQuestion | None:
        expires_at, kept = self._questions.get((tenant, near_key), (0.0, None))
        return kept if expires_at > self._clock.now() else None

    def keep_question(self, tenant: Tenant, near_key: str, kept: KeptQuestion) -> None:
        self._questions[tenant, near_key] = (self._clock.now() + KEEP_SECONDS, kept)
