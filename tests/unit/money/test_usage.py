"""What a run adds to its user's day, how days are added up, and how they look as a file."""

import csv
from dataclasses import replace

from plinth.contracts.events import ReceiptMade, RunEnded, TextDelta
from plinth.contracts.platform import PlatformCost
from plinth.contracts.runs import Receipt, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.contracts.usage import UserDay
from plinth.money.usage import UsageBy, UsageLine, usage_lines, usage_of, usage_total
from plinth.money.usage_csv import usage_csv
from tests.fakes.costs import model_cost

CALL = model_cost("m/1", cached_input_tokens=4, cache_write_tokens=5)
OTHER = replace(CALL, model="m2", cost_micro_usd=7)
PLATFORM = PlatformCost(cost_nano_usd=50, lines=(), steps={"CallModel": 40, "workflow": 10})
RECEIPT = Receipt(model_calls=(CALL, CALL, OTHER), model_cost_micro_usd=147, platform=PLATFORM)
DONE = usage_of([ReceiptMade(receipt=RECEIPT), RunEnded(status=RunStatus.DONE)])
CACHED = usage_of(
    [
        ReceiptMade(receipt=Receipt(model_calls=(), model_cost_micro_usd=0, cached=True, saved_micro_usd=147)),
        RunEnded(status=RunStatus.DONE),
    ]
)
FAILED = usage_of([RunEnded(status=RunStatus.FAILED, reason="not_started")])
DAYS = [
    UserDay(day="2026-11-01", user="ann", amounts=DONE),
    UserDay(day="2026-11-01", user="bob", amounts=CACHED),
    UserDay(day="2026-11-02", user="ann", amounts=FAILED),
    UserDay(day="2026-11-02", user="ann", amounts=DONE),
]


def test_only_the_end_of_a_run_adds_to_a_day() -> None:
    assert not usage_of([])
    assert not usage_of([ReceiptMade(receipt=RECEIPT), TextDelta(text="x", attempt=1, offset=0)])


def test_lines_by_day_and_by_user_have_everything() -> None:
    first, second = usage_lines(DAYS, UsageBy.DAY)
    ann, bob = usage_lines(DAYS, UsageBy.USER)

    assert first == UsageLine(
        name="2026-11-01",
        runs=2,
        cached_runs=1,
        calls=3,
        input_tokens=30,
        cached_input_tokens=12,
        cache_write_tokens=15,
        output_tokens=9,
        model_cost_micro_usd=147,
        platform_cost_nano_usd=50,
        saved_micro_usd=147,
    )
    assert (second.runs, second.failed_runs, second.model_cost_micro_usd) == (2, 1, 147)
    assert (ann.name, ann.runs, bob.name, bob.saved_micro_usd) == ("ann", 3, "bob", 147)


def test_lines_by_model_and_by_step_split_the_same_sums() -> None:
    models = {line.name: line for line in usage_lines(DAYS, UsageBy.MODEL)}
    steps = {line.name: line.platform_cost_nano_usd for line in usage_lines(DAYS, UsageBy.STEP)}

    assert (models["m/1"].calls, models["m/1"].model_cost_micro_usd) == (4, 280)
    assert (models["m2"].calls, models["m2"].input_tokens) == (2, 20)
    assert steps == {"CallModel": 80, "workflow": 20}
    total = usage_total(DAYS, "total")
    assert sum(line.model_cost_micro_usd for line in models.values()) == total.model_cost_micro_usd
    assert sum(steps.values()) == total.platform_cost_nano_usd


def test_a_file_has_each_sum_once_per_kind_and_no_formula() -> None:
    days = [*DAYS, UserDay(day="2026-11-03", user="=cmd()", amounts=DONE)]

    rows = list(csv.DictReader(usage_csv({Tenant(id="b"): [], Tenant(id="a"): days}).decode().splitlines()))

    assert {row["tenant"] for row in rows} == {"a"}
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("user", "model", "step")}
    for kind in ("user", "model"):
        assert sum(int(row["model_cost_micro_usd"]) for row in by_kind[kind]) == 3 * 147
    for kind in ("user", "step"):
        assert sum(int(row["platform_cost_nano_usd"]) for row in by_kind[kind]) == 3 * 50
    assert {row["user"] for row in rows} == {"ann", "bob", "'=cmd()"}
