"""What a model is told of fifty turns, in tokens: all of them whole, older ones in a line each, or with a summary.

Counted by the tokenizer of the demo model; passages, instructions and the model's own frame, which all ways share, are
left out. Questions and answers are text of the samples. A summary is as long as it may be, so no model is asked.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import httpx

from bench.embedding import sample_passages
from bench.figures import Figure, NotMeasurableError
from local.models.engine import LlamaEngine
from local.models.files import cache_directory, ensure
from plinth.chain.catalogue import route
from plinth.chain.recalling import OLDER_TURNS, recalled
from plinth.chain.summarizing import brought_up_to_date, summary_prompt, summary_tokens
from plinth.contracts.conversations import ModelSummary
from plinth.contracts.runs import Turn
from plinth.money.prices import price_of
from tests.fakes.costs import model_cost

MODEL = "claude-haiku-5-5"
TURNS = 50
_ROUTE = route(MODEL)
_LONGEST = summary_tokens(_ROUTE.passage_characters)
_LOADING_SECONDS = 120.0
Count = Callable[[str], int]


def measure(*, large: bool) -> list[Figure]:
    """Return the input tokens of fifty questions, those of summaries included, beside all turns whole."""
    del large
    texts = sample_passages()[:TURNS]
    turns = [
        Turn(question=text[:80], answer=text[80:], at=float(n), run_id=f"run_{n:02d}", expires_at=1)
        for n, text in enumerate(texts)
    ]
    with _tokenizer() as count:
        summary = _cut(" ".join(texts), count)
        whole = [sum(count(_said(turn)) for turn in turns[:n]) for n in range(TURNS)]
        lines, _ = _told(turns, None, count)
        summed_up, calls = _told(turns, summary, count)
        mean = round(sum(count(_said(turn)) for turn in turns) / TURNS)
    return [
        _figure("in a line each", lines, [], whole, mean=mean),
        _figure("summed up", summed_up, calls, whole, mean=mean),
    ]


def _told(turns: Sequence[Turn], text: str | None, count: Count) -> tuple[list[int], list[int]]:
    """Return the tokens that each question is told of what came before, and those of each call for a summary."""
    told, calls = list[int](), list[int]()
    summary: ModelSummary | None = None
    for n in range(TURNS):
        seen = turns[max(0, n - _ROUTE.history_turns - OLDER_TURNS) : n]
        memory = recalled(seen, summary, _ROUTE)
        told.append(count(memory.older.text) + sum(count(_said(turn)) for turn in memory.turns))
        if text is not None and memory.leaving:
            prompt = summary_prompt(summary.text if summary else "", memory.leaving, tokens=_LONGEST)
            calls.append(count(prompt.system + prompt.messages[0].text))
            made = brought_up_to_date(summary, text, seen, memory.leaving, cost=model_cost())
            summary = replace(made, by=str(n))
    return told, calls


def _figure(name: str, told: Sequence[int], calls: Sequence[int], whole: Sequence[int], *, mean: int) -> Figure:
    price, made = price_of(MODEL), len(calls) * _LONGEST
    spent = (sum(told) + sum(calls)) * price.input + made * price.output
    return Figure(
        name=f"{TURNS} turns, {name}",
        unit="input tokens",
        samples=(float(sum(told) + sum(calls)),),
        reference="all turns whole",
        reference_samples=(float(sum(whole)),),
        details={
            "mean_tokens_of_a_turn": mean,
            "last_question": told[-1],
            "last_question_whole": whole[-1],
            "summary_calls": len(calls),
            "summary_input_tokens": sum(calls),
            "summary_output_tokens": made,
            "micro_usd": round(spent / 1e6),
            "micro_usd_whole": round(sum(whole) * price.input / 1e6),
        },
    )


def _said(turn: Turn) -> str:
    return f"{turn.question}\n{turn.answer}"


def _cut(text: str, count: Count) -> str:
    while count(text) > _LONGEST:
        text = text[: round(len(text) * max(0.5, _LONGEST / count(text)) * 0.99)]
    return text


@contextmanager
def _tokenizer() -> Generator[Count]:
    engine = LlamaEngine(ensure("demo", cache=cache_directory(), progress=print), alias="demo")
    engine.start(on_failure=lambda: None)
    until = time.monotonic() + _LOADING_SECONDS
    while engine.address is None:
        if engine.error or time.monotonic() > until:
            raise NotMeasurableError("the demo model could not be loaded: its reason is above")
        time.sleep(0.1)
    headers = {"Authorization": f"Bearer {engine.api_key}"}
    with httpx.Client(base_url=engine.address, headers=headers, trust_env=False, timeout=30.0) as client:
        yield lambda text: len(client.post("/tokenize", json={"content": text}).raise_for_status().json()["tokens"])
    engine.stop()
