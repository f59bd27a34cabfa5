"""Each function of the answer machine is killed (SIGKILL) before and after each of its writes, on the deployed stack.

Whatever dies, the run is answered within seconds, readers have each character once, and the receipt, the ledger and the
provider's books agree: to the micro-dollar, or at the stated bound where a call's function died.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import pytest

from local.supervision import wait_until
from plinth.contracts.events import RunEnded
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.chances import PAID, TENANT, Played, calls_of, chances, play, text_of
from tests.integration.conftest import Deployed, close_breakers

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_a, pytest.mark.guarantee_b]

WHOLE = "".join(OK_TEXT)
CHAIN = (
    "ClaimRun",
    "RetrieveContext",
    "RecallConversation",
    "LookUpAnswer",
    "BuildPrompt",
    "CallModel",
    "RunTool",
    "ParseReply",
    "SaveAnswer",
)
READERS = {"LookUpAnswer"}
"""Steps that write nothing."""
WRITES = ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem", "DeleteItem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a function dies."""

    step: str
    call: str
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{self.step}, {self.when} {self.call} {self.nth}"


def points(step: str, calls: Sequence[str]) -> list[Point]:
    """Return the points before and after each write among the calls of a whole invocation."""
    numbered = [(call, calls[: place + 1].count(call)) for place, call in enumerate(calls) if call in WRITES]
    return [Point(step=step, call=call, nth=nth, when=when) for call, nth in numbered for when in ("before", "after")]


def killed(deployed: Deployed, provider: ProviderServer, point: Point) -> Played:
    """Play a run whose function dies at the point, and check what must hold wherever that is."""
    close_breakers(deployed)
    crash = {"function": f"-{point.step}", "call": point.call, "nth": point.nth, "when": point.when}
    with chances(deployed, crash=crash):
        played = play(deployed, provider, "calculate+ok" if point.step == "RunTool" else "ok@0.1")
    check(played, str(point))
    return played


def check(played: Played, point: str) -> None:
    assert [each.event for each in played.logged if isinstance(each.event, RunEnded)] == [played.logged[-1].event], (
        point
    )
    receipt, provider = played.receipt_micro_usd, played.provider_micro_usd
    assert played.outcome == "done", point
    assert played.run.answer is not None, point
    assert played.text == played.run.answer.text == WHOLE, point
    if point.startswith("CallModel"):
        assert provider <= receipt <= played.spent_micro_usd + played.held_micro_usd, point
        assert receipt == provider or played.estimated, point
    else:
        assert (receipt, played.estimated) == (provider, False), point
        assert (played.spent_micro_usd, played.held_micro_usd) == (receipt, 0), point


FEW = (
    Point(step="ClaimRun", call="UpdateItem", nth=1, when="after"),
    Point(step="RetrieveContext", call="PutItem", nth=1, when="before"),
    Point(step="BuildPrompt", call="PutItem", nth=1, when="after"),
    Point(step="CallModel", call="TransactWriteItems", nth=1, when="after"),
    Point(step="CallModel", call="TransactWriteItems", nth=2, when="before"),
    Point(step="CallModel", call="PutItem", nth=1, when="after"),
    Point(step="RunTool", call="PutItem", nth=1, when="after"),
    Point(step="SaveAnswer", call="TransactWriteItems", nth=1, when="before"),
    Point(step="SaveAnswer", call="TransactWriteItems", nth=1, when="after"),
)


@pytest.mark.parametrize("point", FEW, ids=str)
def test_a_run_outlives_a_function_that_is_killed_at_a_write(
    deployed: Deployed, provider: ProviderServer, point: Point
) -> None:
    killed(deployed, provider, point)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failed_run_ends_once_though_the_function_that_ends_it_is_killed(
    deployed: Deployed, provider: ProviderServer, when: str
) -> None:
    close_breakers(deployed)
    with chances(deployed, crash={"function": "-FailRun", "call": "TransactWriteItems", "when": when}):
        played = play(deployed, provider, "400")

    assert played.outcome == "failed: model_request_refused"
    assert [each.event for each in played.logged if isinstance(each.event, RunEnded)] == [played.logged[-1].event]
    assert played.receipt_micro_usd == played.provider_micro_usd == played.spent_micro_usd + played.held_micro_usd == 0


@pytest.mark.parametrize("call", ["TransactWriteItems", "StartExecution"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_whose_function_is_killed_is_sent_again_and_makes_one_run(
    deployed: Deployed, provider: ProviderServer, call: str, when: str
) -> None:
    close_breakers(deployed)
    token = uuid4().hex
    body = {"question": f"Is it? [[script:ok:{token}]]", "model": PAID}
    with deployed.http(TENANT.id, **{"idempotency-key": token}) as http:
        with chances(deployed, crash={"function": "-Api", "call": call, "when": when}):
            lost = http.post("/v1/runs", json=body)
        again = http.post("/v1/runs", json=body)
    run_id = again.json()["id"]
    with deployed.api(TENANT.id) as api:
        assert wait_until(lambda: api.get_run(run_id).status == "done", timeout_seconds=30)
        text = text_of(list(api.events(run_id)))

    assert lost.status_code >= 500
    assert text == WHOLE
    assert sum(each.token == token for each in provider.books.calls) == 1


@pytest.mark.long
def test_a_run_ends_rightly_wherever_a_function_of_its_chain_is_killed(
    deployed: Deployed, provider: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = [play(deployed, provider, plan) for plan in ("calculate+ok", "ok@0.1")]
    assert [each.outcome for each in whole] == ["done", "done"]
    planned = [point for step in CHAIN for point in points(step, calls_of(deployed, step))]
    rows = [(str(point), killed(deployed, provider, point)) for point in planned]

    with capsys.disabled():
        sys.stdout.write(table(rows))
    assert {point.partition(",")[0] for point, _ in rows} == set(CHAIN) - READERS


def table(rows: Sequence[tuple[str, Played]]) -> str:
    """Return where each run's function died, how the run ended, and the four books in micro-dollars."""
    lines = ["", f"{'killed':55} {'outcome':24} {'text':>5} {'receipt':>8} {'spent':>6} {'held':>6} {'provider':>8}"]
    for point, played in rows:
        books = (played.receipt_micro_usd, played.spent_micro_usd, played.held_micro_usd, played.provider_micro_usd)
        told = "{:>8} {:>6} {:>6} {:>8}".format(*books)
        lines.append(f"{point:55} {played.outcome:24} {len(played.text):>5} {told}")
    return "\n".join((*lines, ""))
