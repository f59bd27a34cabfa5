"""Every language model that must keep the contract: the adapters over a scripted provider, and the fake."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from plinth.adapters.anthropic_model import AnthropicModel, on_aws, with_key
from plinth.adapters.chat_bodies import SELF_HOSTED
from plinth.adapters.openai_model import OpenAiModel
from plinth.adapters.provider_tokens import Token
from plinth.adapters.sagemaker_model import SageMakerModel, patient_for
from plinth.contracts.models import (
    Message,
    ModelEnd,
    ModelRequest,
    Prompt,
    Role,
    StreamItem,
    TextChunk,
    TimeLimits,
    Usage,
)
from plinth.errors import ModelError
from plinth.ports.models import LanguageModel
from tests.contract.models.outcomes import turn_of
from tests.fakes.models import FakeModel
from tests.fakes.providers import ProviderServer, Script

SERVED = ("anthropic", "anthropic_aws", "openai", "sagemaker_openai", "sagemaker")
EVERYONE = (*SERVED, "fake")
LIMITS = TimeLimits(total_seconds=5.0, first_seconds=3.0, stall_seconds=3.0)
QUESTION = "When does it open?"


def token() -> Token:
    return Token(lambda: "key", life_seconds=60)


def _sagemaker(url: str, endpoint: str, *, leaving: ExitStack) -> LanguageModel:
    make: Any = boto3.client

    @cache
    def connect(seconds: int) -> Any:
        client = make(
            "sagemaker-runtime",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=patient_for(seconds),
        )
        leaving.callback(client.close)
        return client

    return SageMakerModel(endpoint, connect=connect)


def _over_http(model: AnthropicModel | OpenAiModel, *, leaving: ExitStack) -> LanguageModel:
    leaving.callback(model.close)
    return model


@contextmanager
def model_at(url: str, *, name: str, key: Token | None = None, endpoint: str = "e") -> Iterator[LanguageModel]:
    """Return the adapter of that name, whose provider is at this address."""
    key = key or token()
    with ExitStack() as leaving:
        match name:
            case "anthropic":
                yield _over_http(with_key(key, base_url=url), leaving=leaving)
            case "anthropic_aws":
                yield _over_http(on_aws(region="us-east-1", workspace="wrkspc_1", base_url=url), leaving=leaving)
            case "openai":
                yield _over_http(OpenAiModel(f"{url}/v1", token=key), leaving=leaving)
            case "sagemaker_openai":
                route = OpenAiModel(f"{url}/endpoints/{endpoint}/openai/v1", token=key, dialect=SELF_HOSTED)
                yield _over_http(route, leaving=leaving)
            case "sagemaker":
                yield _sagemaker(url, endpoint, leaving=leaving)
            case _:
                yield FakeModel()


def ask(*, limits: TimeLimits = LIMITS, text: str = QUESTION, **changes: Any) -> ModelRequest:
    prompt = Prompt(version="v", system="Be brief.", messages=(Message(role=Role.USER, text=text),))
    return ModelRequest(**{"model": "m", "prompt": prompt, "max_output_tokens": 50, "limits": limits, **changes})


@dataclass(frozen=True)
class World:
    """One model, and what it talks to: the fake talks to nobody."""

    name: str
    provider: ProviderServer
    model: LanguageModel

    @property
    def served(self) -> bool:
        return self.name != "fake"

    def play(self, script: Script) -> LanguageModel:
        """Return the model that gets this script for an answer."""
        self.provider.books.play(script)
        return self.model if self.served else FakeModel(turn_of(script))

    def told(self, usage: Usage) -> Usage:
        """Return the usage as this model's protocol can tell it: only Anthropic's and the fake tell cache writes."""
        if self.name in ("anthropic", "anthropic_aws", "fake"):
            return usage
        return Usage(
            input_tokens=usage.input_tokens + usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            thinking_tokens=usage.thinking_tokens,
        )


def said(items: list[StreamItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, TextChunk))


def end_of(items: list[StreamItem]) -> ModelEnd:
    """Return the one end, which is last."""
    *before, end = items
    assert isinstance(end, ModelEnd)
    assert not any(isinstance(item, ModelEnd) for item in before)
    return end


def failure_of(model: LanguageModel, request: ModelRequest) -> ModelError:
    """Return the error that a call ends with; whatever came before it, it was no end."""
    items: list[StreamItem] = []
    try:
        items.extend(model.stream(request))
    except ModelError as error:
        assert not any(isinstance(item, ModelEnd) for item in items)
        return error
    raise AssertionError(f"the call came to an end: {items[-1]}")


class Worlds:
    """Every model over one provider, each made once: a client is slow to make."""

    def __init__(self, provider: ProviderServer) -> None:
        self._provider = provider
        self._made = {name: model_at(provider.url, name=name) for name in EVERYONE}
        self._leaving = ExitStack()
        self._models: dict[str, LanguageModel] = {}

    def of(self, name: str) -> World:
        """Return the world of that name, in which nothing was asked yet."""
        self._provider.books.calls.clear()
        if name not in self._models:
            self._models[name] = self._leaving.enter_context(self._made[name])
        return World(name=name, provider=self._provider, model=self._models[name])

    def close(self) -> None:
        self._leaving.close()
