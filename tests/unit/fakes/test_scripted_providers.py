"""Rules of how a prompt chooses what a scripted provider says."""

import subprocess
import sys
from typing import Any

import httpx
import pytest

from plinth.contracts.models import Usage
from tests.fakes.providers import Books


def played(books: Books, *texts: str, model: str = "m") -> list[str]:
    """Return the kind of fault, or the status, of each call that says this."""
    kinds: list[str] = []
    for text in texts:
        body = {"messages": [{"role": "user", "content": text}]}
        fault = books.open("openai", model, {}, body).script.fault
        kinds.append("ok" if fault is None else str(fault.status or fault.kind))
    return kinds


def test_a_prompt_without_a_token_is_answered() -> None:
    assert played(Books(), "When?") == ["ok"]


def test_scripts_come_in_order_and_the_last_stays() -> None:
    assert played(Books(), *["[[script:429+stall+ok]]"] * 4) == ["429", "stall", "ok", "ok"]


def test_every_argument_has_an_order_of_its_own() -> None:
    one, other = "[[script:500+ok:run 1]]", "[[script:500+ok:run 2]]"

    assert played(Books(), one, other, one, other) == ["500", "500", "ok", "ok"]


def test_a_token_can_give_each_model_its_script() -> None:
    books, text = Books(), "[[script:a=500|b=cut+ok]]"

    assert played(books, text, model="a") == ["500"]
    assert played(books, text, text, model="b") == ["cut", "ok"]
    assert played(books, text, model="c") == ["ok"]


def test_the_last_token_counts_because_a_conversation_repeats_the_earlier_ones() -> None:
    assert played(Books(), "[[script:500]] and then [[script:429]]") == ["429"]


def test_an_unknown_script_is_refused_by_its_name() -> None:
    with pytest.raises(KeyError, match="no_such"):
        played(Books(), "[[script:no_such]]")


def test_as_a_process_it_tells_its_calls_and_its_bills() -> None:
    command = [sys.executable, "-m", "tests.fakes.providers", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "[[script:429+ok:x]]"}]}
        answers = [httpx.post(f"{url}/v1/chat/completions", json=body).status_code for _ in range(2)]
        calls, bills = httpx.get(f"{url}/_calls").json(), httpx.get(f"{url}/_bills").json()
        process.terminate()

    assert answers == [429, 200]
    assert [call["token"] for call in calls] == ["x", "x"]
    (bill,) = bills
    assert bill.pop("model") == "m"
    assert Usage(**bill).output_tokens == 30
