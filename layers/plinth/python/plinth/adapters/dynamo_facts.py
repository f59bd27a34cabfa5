"""Where facts are kept: beside a user's conversations, each with its vector, and compared one by one.

Row FACT#<id> (pk `<tenant>#<user>`). A user has at most 100, which are one read of some 150 KB at most.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from plinth.adapters.dynamo_rows import Rows
from plinth.adapters.dynamo_users import user_pk
from plinth.adapters.dynamodb_items import row
from plinth.adapters.dynamodb_table import Key, Put, Table
from plinth.chain.caching import cosine, question_vector
from plinth.contracts.conversations import Fact
from plinth.contracts.questions import QuestionVector
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.errors import NotFoundError
from plinth.memory.facts import fact_id, fact_text, nearest_facts, newest_first, surplus
from plinth.ports.clock import Clock
from plinth.ports.models import Embedder

_OTHER_MODEL = -2.0  # below any cosine


class _FactRow(msgspec.Struct):
    sk: str
    text: str
    at: float
    run_id: str
    expires_at: int
    model: str
    halves: bytes
    documents: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def fact(self) -> Fact:
        return Fact(
            id=self.sk.removeprefix("FACT#"),
            text=self.text,
            at=self.at,
            run_id=self.run_id,
            expires_at=self.expires_at,
            documents=self.documents,
            labels=self.labels,
        )


class DynamoFacts:
    """`Facts` in the table of conversations. `embedder` is only asked for by who keeps or compares."""

    def __init__(self, *, table: Table, rows: Rows, clock: Clock, embedder: Callable[[], Embedder]) -> None:
        self._table = table
        self._rows = rows
        self._clock = clock
        self._embedder = embedder

    def keep(
        self, run: Run, user: str, text: str, *, documents: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Fact:
        """Put the fact under the hash of its words, so that a repeated step keeps it once; drop what is over."""
        kept = fact_text(text)
        fact = Fact(
            id=fact_id(text),
            text=kept,
            at=self._clock.now(),
            run_id=run.id,
            expires_at=run.expires_at,
            documents=tuple(sorted(set(documents))),
            labels=tuple(labels),
        )
        embedder = self._embedder()
        (numbers,) = embedder.embed([kept])
        vector = question_vector(numbers, model=embedder.model_id)
        item = {name: value for name, value in msgspec.structs.asdict(_row_of(fact, vector)).items() if name != "sk"}
        self._table.write(Put(key=_key(run.tenant, user, fact.id), item=item))
        self._rows.delete(_key(run.tenant, user, each.id) for each in surplus(self.all(run.tenant, user)))
        return fact

    def all(self, tenant: Tenant, user: str) -> list[Fact]:
        """Return the facts that have not expired."""
        return newest_first(stored.fact for stored in self._stored(tenant, user))

    def nearest(self, tenant: Tenant, user: str, vector: Sequence[float], *, limit: int) -> list[Fact]:
        """Compare with every fact; one whose vector another model made comes last."""
        asked = question_vector(vector, model=self._embedder().model_id)
        return nearest_facts(
            ((stored.fact, _likeness(asked, stored)) for stored in self._stored(tenant, user)), limit=limit
        )

    def erase(self, tenant: Tenant, user: str, fact_id: str) -> None:
        """Delete the row that is there."""
        if not any(fact.id == fact_id for fact in self.all(tenant, user)):
            raise NotFoundError(f"no fact {fact_id}")
        self._rows.delete([_key(tenant, user, fact_id)])

    def _stored(self, tenant: Tenant, user: str) -> Iterator[_FactRow]:
        now = self._clock.now()
        for found in self._table.query(user_pk(tenant, user), first="FACT#", last="FACT#~"):
            stored = row(found, _FactRow)
            if stored.expires_at > now:
                yield stored


def _key(tenant: Tenant, user: str, fact: str) -> Key:
    return user_pk(tenant, user), f"FACT#{fact}"


def _row_of(fact: Fact, vector: QuestionVector) -> _FactRow:
    return _FactRow(
        sk=f"FACT#{fact.id}",
        text=fact.text,
        at=fact.at,
        run_id=fact.run_id,
        expires_at=fact.expires_at,
        model=vector.model,
        halves=vector.halves,
        documents=fact.documents,
        labels=fact.labels,
    )


def _likeness(asked: QuestionVector, stored: _FactRow) -> float:
    vector = QuestionVector(model=stored.model, halves=stored.halves)
    return cosine(asked, vector) if vector.model == asked.model else _OTHER_MODEL
