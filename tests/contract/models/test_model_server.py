"""What the local model server promises to a SageMaker client, with real tokens."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from local.processes import stop, wait_healthy
from plinth.contracts.models import (
    Message,
    ModelEnd,
    ModelRequest,
    Prompt,
    Role,
    StopReason,
    TextChunk,
    TimeLimits,
    Working,
)
from plinth.errors import ModelContextExceededError
from plinth.ports.models import LanguageModel
from tests.contract.models.conftest import ENDPOINT, ModelServer, launch
from tests.contract.models.worlds import model_at

PASSAGES = "The warehouse opens at nine and closes at six. Parcels above thirty kilograms are weighed twice. " * 12

LIMITS = TimeLimits(total_seconds=60, first_seconds=60, stall_seconds=60)


def chat(question: str, **options: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": PASSAGES}, {"role": "user", "content": question}]
    return {"messages": messages, "max_tokens": 8, "temperature": 0, **options}


def request(question: str, *, max_output_tokens: int = 12) -> ModelRequest:
    prompt = Prompt(version="v", system=PASSAGES, messages=(Message(role=Role.USER, text=question),))
    return ModelRequest(model="small", prompt=prompt, max_output_tokens=max_output_tokens, limits=LIMITS)


@pytest.fixture(params=["sagemaker", "sagemaker_openai"])
def model(request: pytest.FixtureRequest, server: ModelServer) -> Iterator[LanguageModel]:
    with model_at(server.url, name=request.param, endpoint=ENDPOINT) as made:
        yield made


def test_a_streamed_answer_comes_in_pieces_and_ends_with_its_bill(model: LanguageModel) -> None:
    *items, end = list(model.stream(request("When does it open?")))

    chunks = [each for each in items if not isinstance(each, Working)]
    assert len(chunks) > 2
    assert all(isinstance(chunk, TextChunk) for chunk in chunks)
    assert isinstance(end, ModelEnd)
    assert end.stop_reason in (StopReason.END, StopReason.MAX_TOKENS)
    assert 0 < end.usage.output_tokens <= 12


def test_a_prompt_with_a_known_beginning_is_read_from_the_cache(model: LanguageModel) -> None:
    list(model.stream(request("What is weighed?")))

    *_, end = list(model.stream(request("When does it close?")))

    assert isinstance(end, ModelEnd)
    assert end.usage.cached_input_tokens > 200
    assert end.usage.input_tokens < 40


def test_a_prompt_beyond_the_context_is_refused_for_good(model: LanguageModel) -> None:
    with pytest.raises(ModelContextExceededError):
        list(model.stream(request("why " * 5000)))


def test_an_answer_schema_binds_the_streamed_text(model: LanguageModel) -> None:
    schema = {"type": "object", "properties": {"open": {"type": "boolean"}}, "required": ["open"]}
    asked = request("Is it open at ten?", max_output_tokens=40)

    *chunks, end = list(model.stream(replace(asked, prompt=replace(asked.prompt, answer_schema=schema))))

    assert isinstance(end, ModelEnd)
    assert set(json.loads("".join(chunk.text for chunk in chunks if isinstance(chunk, TextChunk)))) == {"open"}


def test_leaving_the_stream_frees_the_model_for_the_next_call(model: LanguageModel) -> None:
    for _ in range(3):  # more than it has slots for
        next(iter(model.stream(request("Tell all of it.", max_output_tokens=1000))))

    assert isinstance(list(model.stream(request("When?", max_output_tokens=2)))[-1], ModelEnd)


def test_a_whole_answer_is_openai_json_under_the_given_alias(server: ModelServer) -> None:
    answer = server.client().invoke_endpoint(EndpointName=ENDPOINT, Body=json.dumps(chat("When?")))

    body = json.loads(answer["Body"].read())
    assert answer["ContentType"].startswith("application/json")
    assert body["choices"][0]["message"]["content"]
    assert body["model"] == "small"


def test_a_json_schema_binds_the_answer(server: ModelServer) -> None:
    schema = {"type": "object", "properties": {"open": {"type": "boolean"}}, "required": ["open"]}
    bound = {"type": "json_schema", "json_schema": {"name": "opening", "schema": schema}}

    answer = server.client().invoke_endpoint(
        EndpointName=ENDPOINT, Body=json.dumps(chat("Is it open at ten?", response_format=bound, max_tokens=40))
    )

    content = json.loads(answer["Body"].read())["choices"][0]["message"]["content"]
    assert set(json.loads(content)) == {"open"}


@pytest.mark.parametrize("call", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_boto3_sees_another_endpoint_as_unknown(server: ModelServer, call: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(server.client(), call)(EndpointName="other", Body=b"{}")

    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_boto3_sees_a_failure_of_the_model_with_the_models_status(server: ModelServer) -> None:
    with pytest.raises(ClientError) as caught:
        server.client().invoke_endpoint(EndpointName=ENDPOINT, Body=b"{}")

    response: Any = caught.value.response
    assert (response["Error"]["Code"], response["OriginalStatusCode"]) == ("ModelError", 400)


def test_the_openai_route_streams_server_sent_events(server: ModelServer) -> None:
    url = f"{server.url}/endpoints/{ENDPOINT}/openai/v1/chat/completions"

    answer = httpx.post(url, json=chat("When?", stream=True), timeout=60)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_sigterm_ends_the_server_cleanly(small_model_file: Path, tmp_path: Path) -> None:
    running = launch(small_model_file, tmp_path / "model.log")
    wait_healthy(f"{running.url}/health", running.child, 60)

    stop([running.child])

    assert running.child.process.returncode == 0


def test_a_file_that_is_no_model_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"no model")

    running = launch(tmp_path / "broken.gguf", tmp_path / "model.log")

    assert running.child.process.wait(timeout=30) == 1
    assert "llama.cpp could not load" in running.child.log_path.read_text()
