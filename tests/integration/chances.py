"""What AWS may do is made certain on the deployed stack: a function dies at a named request, a table is throttled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx

from client.api import Question
from client.records import Run
from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
from plinth.adapters.dynamo_tenants import DynamoTenants
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.adapters.system_clock import SystemClock
from plinth.contracts.events import LoggedEvent, Reset, TextDelta
from plinth.contracts.runs import RunRequest
from plinth.contracts.tenant import Tenant
from plinth.money.budgets import budgets_of
from plinth.money.prices import cost_micro_usd, price_of
from tests.fakes.providers import ProviderServer
from tests.integration.conftest import Deployed

TENANT = Tenant(id="mortal")
PAID = "claude-haiku-5-5"
TOOLS = ["calculate", "search_memory"]


@contextmanager
def chances(deployed: Deployed, **given: object) -> Iterator[None]:
    """Put these chances in force, and the defaults of strict mode again at the end."""
    url = f"{deployed.info.cloud_url}/_plinth/chances"
    httpx.put(url, json=given).raise_for_status()
    try:
        yield
    finally:
        httpx.put(url, json={}).raise_for_status()


def calls_of(deployed: Deployed, step: str) -> list[str]:
    """Return the requests of the step's last whole invocation, by name."""
    told = httpx.get(f"{deployed.info.cloud_url}/_plinth/chances").json()["calls"]
    return [call for function, calls in told.items() if f"-{step}" in function for call in calls]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One run to its end: what its readers saw, what was charged, and what the provider would bill."""

    run: Run
    logged: Sequence[LoggedEvent]
    text: str
    provider_micro_usd: int
    spent_micro_usd: int
    held_micro_usd: int

    @property
    def outcome(self) -> str:
        """The status, with the reason of a failure."""
        return self.run.status if self.run.failure is None else f"{self.run.status}: {self.run.failure.reason}"

    @property
    def receipt_micro_usd(self) -> int:
        assert self.run.receipt is not None
        return self.run.receipt.model_cost_micro_usd

    @property
    def estimated(self) -> bool:
        assert self.run.receipt is not None
        return any(call.estimated for call in self.run.receipt.model_calls)


def text_of(logged: Sequence[LoggedEvent]) -> str:
    """Return the text that counts; every piece begins where the one before it ended, or a reset came between."""
    text, attempt = "", 0
    for event in (each.event for each in logged):
        if isinstance(event, Reset):
            text, attempt = "", event.attempt
        if isinstance(event, TextDelta):
            assert event.offset == (len(text) if event.attempt == attempt or not text else 0), event
            text, attempt = text[: event.offset] + event.text, event.attempt
    return text


def play(deployed: Deployed, provider: ProviderServer, plan: str = "ok", *, tenant: Tenant = TENANT) -> Played:
    """Ask a question that no cache knows, as a tenant with budgets, and follow its run to the end."""
    token = uuid4().hex
    before = standing(deployed, tenant)
    with deployed.api(tenant.id) as api:
        question = f"Is it? [[script:{plan}:{token}]] {plan}"
        tools = TOOLS if "calculate" in plan else None
        run = api.create_run(Question(question=question, model=PAID, tools=tools, conversation_id=token))
        logged = list(api.events(run.id))
        ended = api.get_run(run.id)
    after = standing(deployed, tenant)
    return Played(
        run=ended,
        logged=logged,
        text=text_of(logged),
        provider_micro_usd=sum(cost_micro_usd(price_of(name), usage) for name, usage in provider.books.bills(token)),
        spent_micro_usd=after[0] - before[0],
        held_micro_usd=after[1] - before[1],
    )


def standing(deployed: Deployed, tenant: Tenant = TENANT) -> tuple[int, int]:
    """Return what is spent and what is held of the tenant's budget of today."""
    dynamodb, outputs = deployed.aws("dynamodb"), deployed.info.outputs
    tier = DynamoTenants(table=Table(client=dynamodb, name=outputs["TenantsTable"])).standing(tenant).tier
    asked_for = RunRequest(question="?", model=PAID, user="mo", budgets=tier.budgets)
    rows = DynamoLedgerRows(table=Table(client=dynamodb, name=outputs["LedgerTable"]))
    left = LedgerOverRows(rows, clock=SystemClock()).left(budgets_of(tenant, asked_for))
    days = {(each.day.spent_micro_usd, each.day.held_micro_usd) for each in left}
    assert len(days) == 1
    return days.pop()
