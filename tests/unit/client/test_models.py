"""What `plinth models` lists, and what `plinth models breakeven` says and rests on."""

import io
import json
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from client.api import PlinthApi
from client.commands import app
from client.display import models_table
from client.errors import UsageError

PRICE = {"input": 100_000, "output": 500_000, "cache_read": 10_000, "cache_write": 125_000}
ANSWER: dict[str, Any] = {
    "object": "list",
    "data": [
        {
            "id": "haiku",
            "object": "model",
            "created": 1,
            "owned_by": "anthropic",
            "kind": "model",
            "context_window": 1_000_000,
            "max_output_tokens": 128_000,
            "capabilities": ["tools", "thinking"],
            "price": {**PRICE, "source": "s", "as_of": "2026-11-01", "confidence": "published", "model": "haiku"},
            "models": [],
        },
        {
            "id": "fast",
            "object": "model",
            "created": 1,
            "owned_by": "plinth",
            "kind": "route",
            "context_window": 200_000,
            "max_output_tokens": 64_000,
            "capabilities": ["tools"],
            "price": None,
            "models": ["haiku", "older"],
        },
    ],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the commands talk to an API that has two names; return what it was asked for."""
    paths: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json=ANSWER)

    class Environment:
        def api(self) -> PlinthApi:
            return PlinthApi("http://127.0.0.1:1", key="pl_local_x", transport=httpx.MockTransport(handler))

    monkeypatch.setattr("client.commands.models.environment_named", lambda _: Environment())
    monkeypatch.setenv("COLUMNS", "120")
    return paths


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def compared(*arguments: str) -> dict[str, Any]:
    return dict(json.loads(run("breakeven", "--json", *arguments).stdout))


def test_the_models_are_shown_with_limits_prices_and_what_a_route_asks_in_turn(asked: list[str]) -> None:
    lines = [line.split() for line in run().stdout.splitlines()]

    assert lines[1] == ["haiku", "anthropic", "1,000,000", "0.10", "0.50", "tools,", "thinking"]
    assert lines[2] == ["fast", "route", "200,000", "haiku", ">", "older"]
    assert asked == ["GET /v1/models"]


@pytest.mark.usefixtures("asked")
def test_what_a_summary_costs_at_most_is_told_where_the_tier_pays_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "summed up" not in run().stdout

    monkeypatch.setitem(ANSWER["data"][0], "summary_micro_usd", 1366)
    assert run().stdout.splitlines()[-1].endswith("conversation are summed up for at most $0.0014")


def test_the_table_fits_into_eighty_columns(asked: list[str]) -> None:
    with PlinthApi(
        "http://127.0.0.1:1", key="k", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=ANSWER))
    ) as api:
        screen = io.StringIO()
        Console(file=screen, width=80).print(models_table(api.models()))

    assert all(len(line) <= 80 for line in screen.getvalue().splitlines())
    assert "1,000,000" in screen.getvalue()


def test_the_models_are_one_json_list_of_what_the_api_said(asked: list[str]) -> None:
    listed = json.loads(run("--json").stdout)

    assert [each["id"] for each in listed] == ["haiku", "fast"]
    assert listed[0]["price"]["as_of"] == "2026-11-01"
    assert listed[1]["models"] == ["haiku", "older"]


def test_the_break_even_asks_no_stack(asked: list[str]) -> None:
    assert run("breakeven").exit_code == 0
    assert asked == []


def test_the_break_even_names_every_figure_with_its_source_its_day_and_its_confidence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    text = run("breakeven").stdout

    assert "$1.127000" in text
    assert "us-east-1, 2026-11-23, from memory" in text
    assert "$0.100000, $0.500000" in text
    assert "genai-prices 0.2.3, 2026-11-01, published" in text
    assert "10 min" in text
    assert "3,757 requests an hour, 90,160 a day" in text
    assert "Assumed: " in text


def test_a_throughput_that_nobody_measured_is_not_made_up() -> None:
    result, text = compared(), " ".join(run("breakeven").stdout.split())

    assert (result["tokens_per_second"], result["saturation"]) == (None, None)
    assert "one instance must write 313 tokens per second" in text
    assert "never measured here" in text


def test_with_ones_own_throughput_the_break_even_is_a_utilisation() -> None:
    text = " ".join(run("breakeven", "--tokens-per-second", "626.11").stdout.split())

    assert "the break-even is at a utilisation of 50%." in text
    assert "never measured" not in text


def test_an_instance_that_is_full_before_the_break_even_is_said_to_be_cheaper_at_no_load() -> None:
    text = " ".join(run("breakeven", "--tokens-per-second", "100").stdout.split())

    assert "full at 1,200 requests an hour" in text
    assert "plinth-gpu is cheaper at no load, on any number of instances" in text


def test_the_size_of_the_requests_decides_which_rates_count() -> None:
    short, long = compared("--input-tokens", "100000"), compared("--input-tokens", "100001")

    assert short["breakeven"]["api_micro_usd"] == 10_150
    assert long["breakeven"]["api_micro_usd"] == 50_751
    assert "$0.500000, $2.500000" in run("breakeven", "--input-tokens", "100001").stdout


def test_a_model_that_costs_as_much_per_token_is_never_worth_hosting() -> None:
    text = " ".join(run("breakeven", "--model", "claude-haiku-5-5").stdout.split())

    assert "claude-haiku-5-5 costs no more per token" in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--model", "mine"), "'mine' has no row"),
        (("--against", "gpt-0"), "'gpt-0' has no row"),
        (("--instance", "ml.p9"), "'ml.p9' has no price: use one of ml.g5.xlarge"),
    ],
)
def test_a_name_without_a_price_is_a_usage_error_that_says_so(arguments: tuple[str, str], complaint: str) -> None:
    error = run("breakeven", *arguments).exception

    assert isinstance(error, UsageError)
    assert complaint in str(error)


@pytest.mark.parametrize("option", ["--tokens-per-second", "--output-tokens"])
def test_a_throughput_or_an_answer_of_nothing_is_a_usage_error(option: str) -> None:
    assert run("breakeven", option, "0").exit_code == 2
