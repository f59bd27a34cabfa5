"""What each provider is sent, and with which credential."""

from base64 import b64decode
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from plinth.adapters.anthropic_model import on_aws
from plinth.adapters.provider_tokens import Token
from plinth.adapters.sagemaker_bearer import sagemaker_token
from plinth.contracts.models import Message, Prompt, Role, ToolCall, ToolResult, ToolSpec
from plinth.errors import ModelKeyRefusedError, ModelNotConfiguredError, ModelUnavailableError
from tests.contract.models.worlds import Worlds, ask, failure_of, model_at
from tests.fakes.providers import Call, Fault, ProviderServer, Script, status

PROMPT = Prompt(
    version="v",
    system="Be brief.",
    messages=(
        Message(role=Role.USER, text="When?"),
        Message(role=Role.ASSISTANT, text="", tool_calls=(ToolCall(id="c", name="look_up", arguments='{"a": 1}'),)),
        Message(role=Role.USER, text="Well?", tool_results=(ToolResult(call_id="c", text="nine", failed=True),)),
    ),
    tools=(ToolSpec(name="look_up", description="Look.", parameters={"type": "object"}),),
    answer_schema={"type": "object"},
)


def sent(worlds: Worlds, name: str, *, keep_prompt: bool = False) -> Call:
    made = worlds.of(name)
    list(made.play(Script()).stream(ask(prompt=PROMPT, keep_prompt=keep_prompt)))
    (call,) = made.provider.books.calls
    return call


def test_anthropic_is_told_the_conversation_the_tools_and_the_schema(worlds: Worlds) -> None:
    body = sent(worlds, "anthropic").body

    assert (body["system"], body["max_tokens"], body["stream"]) == ("Be brief.", 50, True)
    assert body["messages"][1]["content"] == [{"type": "tool_use", "id": "c", "name": "look_up", "input": {"a": 1}}]
    assert body["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c", "content": "nine", "is_error": True},
        {"type": "text", "text": "Well?"},
    ]
    assert body["tools"] == [{"name": "look_up", "description": "Look.", "input_schema": {"type": "object"}}]
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert "cache_control" not in body


def test_anthropic_is_told_no_blank_text_before_a_call_which_it_refuses(worlds: Worlds) -> None:
    question, asked, answered = PROMPT.messages
    made = worlds.of("anthropic")

    blank = replace(PROMPT, messages=(question, replace(asked, text="\n\n"), answered))
    list(made.play(Script()).stream(ask(prompt=blank)))

    assert [block["type"] for block in made.provider.books.calls[-1].body["messages"][1]["content"]] == ["tool_use"]


def test_anthropic_is_asked_to_keep_the_prompt_where_the_call_says_so(worlds: Worlds) -> None:
    assert sent(worlds, "anthropic", keep_prompt=True).body["cache_control"] == {"type": "ephemeral"}


def test_claude_platform_on_aws_gets_a_signature_and_the_workspace_and_no_key(worlds: Worlds) -> None:
    headers = {name.lower(): value for name, value in sent(worlds, "anthropic_aws").headers.items()}

    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test/")
    assert "/us-east-1/aws-external-anthropic/aws4_request" in headers["authorization"]
    assert headers["anthropic-workspace-id"] == "wrkspc_1"
    assert "x-api-key" not in headers


def test_claude_platform_on_aws_is_not_configured_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(ModelNotConfiguredError, match="no AWS credentials"):
        on_aws(region="us-east-1", workspace="wrkspc_1")


@pytest.mark.parametrize("name", ["anthropic", "openai", "sagemaker_openai"])
def test_a_rotated_key_is_taken_up_after_the_old_one_was_refused(name: str, provider: ProviderServer) -> None:
    keys = iter(["old", "new"])
    provider.books.calls.clear()
    provider.books.play(Script(), status(401), Script())

    with model_at(provider.url, name=name, key=Token(lambda: next(keys), life_seconds=60)) as model:
        list(model.stream(ask()))
        assert type(failure_of(model, ask())) is ModelKeyRefusedError
        list(model.stream(ask()))

    used = [str(call.headers).partition("Bearer ")[2][:3] for call in provider.books.calls]
    assert used == ["old", "old", "new"]


def test_the_token_of_an_endpoint_is_a_presigned_call_of_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")

    token = sagemaker_token("eu-central-1").value()

    host, _, query = b64decode(token.removeprefix("sagemaker-api-key-")).decode().partition("/?")
    said = parse_qs(query)
    assert host == "sagemaker.amazonaws.com"
    assert (said["Action"], said["Version"], said["X-Amz-Expires"]) == (["CallWithBearerToken"], ["1"], ["300"])
    assert said["X-Amz-Credential"][0].endswith("/eu-central-1/sagemaker/aws4_request")
    assert said["X-Amz-Security-Token"] == ["session"]


@pytest.mark.guarantee_f
@pytest.mark.parametrize("name", ["anthropic", "openai", "sagemaker_openai"])
def test_a_request_that_http_can_not_say_was_never_asked(name: str, provider: ProviderServer) -> None:
    for url, key in ((provider.url, "key\n"), ("ftp://127.0.0.1", "key")):
        provider.books.calls.clear()
        with model_at(url, name=name, key=Token(lambda key=key: key, life_seconds=60)) as model:
            error = failure_of(model, ask())

        assert type(error) is ModelUnavailableError
        assert provider.books.calls == []


@pytest.mark.parametrize("name", ["anthropic", "anthropic_aws", "openai", "sagemaker_openai"])
def test_neither_key_nor_prompt_follows_a_redirect_to_another_host(name: str, worlds: Worlds) -> None:
    with ProviderServer() as elsewhere:
        fault = Fault(kind="status", status=307, location=f"{elsewhere.url}/v1/messages")

        error = failure_of(worlds.of(name).play(Script(fault=fault)), ask())

        assert elsewhere.books.calls == []
    assert type(error) is ModelUnavailableError


@pytest.mark.parametrize("name", ["anthropic", "anthropic_aws", "openai", "sagemaker_openai"])
def test_no_call_trusts_a_connection_that_may_have_died_since_the_last_one(name: str, worlds: Worlds) -> None:
    made = worlds.of(name)
    for _ in range(2):
        failure_of(made.play(status(400)), ask())

    first, second = made.provider.books.calls

    assert first.port != second.port
