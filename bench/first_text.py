"""What the chain adds before the first text: a question through the running local stack, beside the model asked alone.

Both send the same prompt, whose beginning the model server has cached by then; only the allowed length differs from
question to question, because the stack would give its cached answer to the same one.
"""

import itertools
import statistics
import time
from contextlib import ExitStack

import httpx

from bench.figures import Figure, Goal, NotMeasurableError, in_turns
from client.api import PlinthApi, Question
from client.aws import Aws
from local import stack
from local.places import Ports, home_directory
from local.records import Credentials, StackInfo, StoredKey, credentials_file, read
from local.roster import MODEL_ENDPOINT
from plinth.adapters.chat_bodies import chat_body
from plinth.adapters.chat_chunks import read_chat
from plinth.adapters.dynamo_runs import DynamoRuns
from plinth.adapters.dynamodb_table import Table
from plinth.adapters.system_clock import SystemClock
from plinth.chain.catalogue import model
from plinth.contracts.events import ReceiptMade, StepEnded, TextDelta
from plinth.contracts.models import ModelEnd, ModelRequest, Prompt, TextChunk, TimeLimits
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant

_TIMES = 10
_GOAL_ADDED_MS = 150
_QUESTION = "How do I remove a package together with its configuration files?"
_MODEL = "plinth-local"
_LEAST_TOKENS = 16
_SECONDS = 300.0


def measure(*, large: bool) -> list[Figure]:
    """Return one figure; raise NotMeasurableError where no local stack runs."""
    del large
    info, key = running_stack()
    with ExitStack() as open_until_done:
        api = open_until_done.enter_context(PlinthApi(info.api_url, key=key.key))
        http = open_until_done.enter_context(httpx.Client(timeout=_SECONDS, trust_env=False))
        chain = ThroughTheChain(api)
        chain.first_text_ms()
        prompt = _prompt_of(chain.run_id, info, tenant=key.tenant)
        alone = ModelAlone(http, prompt, info)
        samples, reference = in_turns(chain.first_text_ms, alone.first_text_ms, times=_TIMES)
    added = statistics.median(mine - theirs for mine, theirs in zip(samples, reference, strict=True))
    return [
        Figure(
            name="first text",
            unit="ms",
            samples=samples,
            reference="first text of the model server alone, same prompt",
            reference_samples=reference,
            details={
                "added_ms": round(added, 1),
                "model": info.model,
                "uncached_tokens": statistics.median(chain.read_tokens[1:]),
                "uncached_tokens_alone": statistics.median(alone.read_tokens),
                **chain.medians_ms(),
            },
            goals=(Goal(what="added ms", value=added, limit=_GOAL_ADDED_MS),),
        )
    ]


class ThroughTheChain:
    """Asks through the edge; keeps what each step before the text took, and how many tokens were not cached."""

    def __init__(self, api: PlinthApi) -> None:
        self.run_id = ""
        self.read_tokens: list[int] = []
        self._api = api
        self._lengths = itertools.count(_LEAST_TOKENS)
        self._steps: dict[str, list[float]] = {}

    def first_text_ms(self) -> float:
        """Return the time from sending the question to reading its first text; the rest is read as well."""
        question = Question(question=_QUESTION, model=_MODEL, max_output_tokens=next(self._lengths))
        started, heard = time.perf_counter(), None
        self.run_id = self._api.create_run(question).id
        accepted = time.perf_counter()
        for logged in self._api.events(self.run_id):
            if isinstance(logged.event, TextDelta) and heard is None:
                heard = time.perf_counter()
            elif isinstance(logged.event, StepEnded) and heard is None:
                self._steps.setdefault(logged.event.step, []).append(logged.event.duration_ms)
            elif isinstance(logged.event, ReceiptMade):
                self.read_tokens.extend(call.input_tokens for call in logged.event.receipt.model_calls)
        if heard is None:
            raise RuntimeError(f"run {self.run_id} ended without text: see `plinth status` and the logs")
        self._steps.setdefault("accepting", []).append((accepted - started) * 1000)
        return (heard - started) * 1000

    def medians_ms(self) -> dict[str, float]:
        """Return the median time of each part in milliseconds."""
        return {f"{name}_ms": round(statistics.median(each), 1) for name, each in self._steps.items()}


class ModelAlone:
    """Asks the model server with the chain's own prompt; keeps how many tokens were not cached."""

    def __init__(self, http: httpx.Client, prompt: Prompt, info: StackInfo) -> None:
        self.read_tokens: list[int] = []
        self._http = http
        self._url = f"{Ports(edge=info.port).models_url}/endpoints/{MODEL_ENDPOINT}/openai/v1/chat/completions"
        self._body = chat_body(
            ModelRequest(
                model=model(_MODEL).provider_model,
                prompt=prompt,
                max_output_tokens=_LEAST_TOKENS,
                limits=TimeLimits(total_seconds=_SECONDS, first_seconds=_SECONDS, stall_seconds=_SECONDS),
            )
        )

    def first_text_ms(self) -> float:
        """Return the time from sending the prompt to reading its first text; the rest is read as well."""
        started, heard = time.perf_counter(), None
        headers = {"Content-Type": "application/json"}
        with self._http.stream("POST", self._url, content=self._body, headers=headers) as answer:
            for item in read_chat(answer.raise_for_status().iter_raw(), max_output_tokens=_LEAST_TOKENS):
                if isinstance(item, ModelEnd):
                    self.read_tokens.append(item.usage.input_tokens)
                elif isinstance(item, TextChunk) and heard is None:
                    heard = time.perf_counter()
        if heard is None:
            raise RuntimeError("the model server answered without text")
        return (heard - started) * 1000


def running_stack() -> tuple[StackInfo, StoredKey]:
    """Return the stack in PLINTH_HOME and a key of it; raise NotMeasurableError where none runs."""
    home = home_directory()
    status, credentials = stack.status(home), read(credentials_file(home), Credentials)
    if not status.running or status.info is None or credentials is None or not credentials.keys:
        raise NotMeasurableError(f"no local stack runs in {home}: start one with `make run`, or set PLINTH_HOME")
    return status.info, credentials.keys[0]


def _prompt_of(run_id: str, info: StackInfo, *, tenant: str) -> Prompt:
    aws = Aws(local_url=info.cloud_url, region=info.region)
    runs = DynamoRuns(table=Table(client=aws.dynamodb(), name=info.outputs["RunsTable"]), clock=SystemClock())
    return runs.get_content(Run(id=run_id, tenant=Tenant(id=tenant), epoch=1, deadline=0), "prompt", Prompt)
