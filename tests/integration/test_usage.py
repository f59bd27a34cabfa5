"""The books of the deployed stack, against one another: receipts, usage, the ledger and the provider's own bill."""

import csv
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from client.api import PlinthApi, Question
from client.commands import app
from client.records import Run
from plinth.adapters.dynamo_ledger_rows import DynamoLedgerRows
from plinth.adapters.dynamo_tenants import DynamoTenants
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.ledger_over_rows import LedgerOverRows
from plinth.adapters.system_clock import SystemClock
from plinth.contracts.money import WindowLeft
from plinth.contracts.runs import Receipt, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.money.budgets import budgets_of
from plinth.money.prices import cost_micro_usd, price_of
from tests.fakes.providers import ProviderServer
from tests.integration.conftest import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_b]

PAID, OLDER = "claude-haiku-5-5", "claude-haiku-4-5"
COUNTED = Tenant(id="audited")
PLANS = ("ok", "thinking", "cached", "503+ok", "calculate+ok", "content_filter", "too_long", "max_tokens")


def test_receipts_usage_ledger_and_the_providers_bill_are_the_same_to_the_micro_dollar(
    deployed: Deployed, provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = uuid4().hex
    with deployed.api("audited") as api:
        runs = [asked(api, f"Is it? [[script:{plan}:{token}]] {plan}", model=PAID) for plan in PLANS]
        runs.append(asked(api, f"Is it? [[script:ok:{token}]] older", model=OLDER))
        again = asked(api, f"Is it? [[script:ok:{token}]] ok", model=PAID)
        by_model = api.usage(by="model")
        by_step = api.usage(by="step")
        by_user = api.usage(by="user")
    receipts = [receipt_of(run) for run in (*runs, again)]

    billed = sum(cost_micro_usd(price_of(model), usage) for model, usage in provider.books.bills(token))
    assert not any(call.estimated for receipt in receipts for call in receipt.model_calls)
    assert billed == sum(receipt.model_cost_micro_usd for receipt in receipts) > 0
    assert billed == by_user.total.model_cost_micro_usd == sum(line.model_cost_micro_usd for line in by_model.lines)
    for budget in standing(deployed):
        assert (budget.spent_micro_usd, budget.held_micro_usd) == (billed, 0)

    platform = sum(receipt.platform.cost_nano_usd for receipt in receipts if receipt.platform)
    assert platform == by_user.total.platform_cost_nano_usd
    assert platform == sum(line.platform_cost_nano_usd for line in by_step.lines)
    assert {line.name for line in by_step.lines} >= {"Api", "CallModel", "RunTool", "SaveAnswer", "FailRun", "workflow"}
    assert {line.name: line.calls for line in by_model.lines}[OLDER] == 1
    assert (by_user.total.runs, by_user.total.cached_runs, by_user.total.failed_runs) == (len(PLANS) + 2, 1, 1)
    assert by_user.total.saved_micro_usd == receipts[-1].saved_micro_usd == receipts[0].model_cost_micro_usd

    for scope, left in ((each.scope, each.left_micro_usd) for each in receipts[-1].budgets):
        assert left == 5_000_000 - billed, scope
    monkeypatch.setenv("PLINTH_HOME", str(deployed.home))
    printed = CliRunner().invoke(app, ["usage", "--by", "tenant", "--json"])
    (own,) = (line for line in json.loads(printed.stdout)["lines"] if line["name"] == "audited")
    assert own["model_cost_micro_usd"] == billed
    assert exported(deployed, "model_cost_micro_usd") == billed
    assert exported(deployed, "platform_cost_nano_usd") == platform


def asked(api: PlinthApi, question: str, *, model: str) -> Run:
    """Ask and return the ended run; where a plan calls a tool, the run may use it."""
    tools = ["calculate", "search_memory"] if "calculate" in question else None
    run = api.create_run(Question(question=question, model=model, tools=tools))
    list(api.events(run.id))
    return api.get_run(run.id)


def receipt_of(run: Run) -> Receipt:
    assert run.receipt is not None
    assert run.receipt.platform is not None
    return run.receipt


def standing(deployed: Deployed) -> list[WindowLeft]:
    """Return how the day of each of the tenant's budgets stands in the ledger."""
    dynamodb, outputs = deployed.aws("dynamodb"), deployed.info.outputs
    tier = DynamoTenants(table=Table(client=dynamodb, name=outputs["TenantsTable"])).standing(COUNTED).tier
    asked_for = RunRequest(question="?", model=PAID, user="cora", budgets=tier.budgets)
    rows = DynamoLedgerRows(table=Table(client=dynamodb, name=outputs["LedgerTable"]))
    left = LedgerOverRows(rows, clock=SystemClock()).left(budgets_of(COUNTED, asked_for))
    assert len(left) == 2
    return [each.day for each in left]


def exported(deployed: Deployed, column: str) -> int:
    """Run the monthly export of this month, and return the sum of a column over the tenant's users."""
    month = datetime.now(UTC).strftime("%Y-%m")
    name = deployed.function("ExportUsage")
    answer = deployed.aws("lambda").invoke(FunctionName=name, Payload=json.dumps({"month": month}))
    told = json.loads(answer["Payload"].read())
    assert told["key"] == f"usage/{month}.csv"
    bucket = deployed.info.outputs["ExportsBucket"]
    text = deployed.aws("s3").get_object(Bucket=bucket, Key=told["key"])["Body"].read().decode()
    rows = csv.DictReader(text.splitlines())
    return sum(int(row[column]) for row in rows if (row["tenant"], row["kind"]) == ("audited", "user"))
