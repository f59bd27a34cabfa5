"""How models that speak the OpenAI chat protocol are asked over HTTP: OpenAI, vLLM, llama.cpp, SageMaker's own route.

Over the HTTP client that the Anthropic SDK brings anyway: a second SDK would make CallModel's cold start slower for
what is one POST, and would retry and parse by rules of its own.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from http import HTTPStatus

import httpx2

from plinth.adapters.chat_bodies import OPENAI, Dialect, chat_body
from plinth.adapters.chat_chunks import read_chat
from plinth.adapters.http_streams import (
    ONE_CALL_EACH,
    expect_events,
    hang_up,
    refusal_of,
    shorten_refusal,
    timeouts,
    transport_failure,
)
from plinth.adapters.model_deadline import Call, within
from plinth.adapters.provider_tokens import Token
from plinth.contracts.models import ModelRequest, StreamItem
from plinth.errors import ModelKeyRefusedError


class OpenAiModel:
    """`LanguageModel` over `<base_url>/chat/completions`, with the token as its bearer."""

    def __init__(self, base_url: str, *, token: Token, dialect: Dialect = OPENAI) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._token = token
        self._dialect = dialect
        self._http = httpx2.Client(
            headers={"content-type": "application/json", "accept-encoding": "identity"},
            event_hooks={"response": [shorten_refusal]},
            follow_redirects=False,
            limits=ONE_CALL_EACH,
        )

    def stream(self, request: ModelRequest) -> Iterator[StreamItem]:
        """Yield text as it comes and one `ModelEnd` last, within the limits; raise `ModelError`."""
        return within(request.limits, partial(self._read, request))

    def close(self) -> None:
        """Close the connections of the calls under way."""
        self._http.close()

    def _read(self, request: ModelRequest, call: Call) -> Generator[StreamItem]:
        with closing(self._pieces(request, call)) as pieces:
            yield from read_chat(pieces, max_output_tokens=request.max_output_tokens, tell=call.tell)

    def _pieces(self, request: ModelRequest, call: Call) -> Generator[bytes]:
        body = chat_body(request, self._dialect)
        bearer = {"authorization": f"Bearer {self._token.value()}"}
        try:
            with self._http.stream(
                "POST", self._url, content=body, headers=bearer, timeout=timeouts(request.limits)
            ) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise self._refused(answer)
                expect_events(answer)
                with call.connected(hang_up(answer)):
                    yield from answer.iter_raw()
        except httpx2.HTTPError as error:
            raise transport_failure(error) from error

    def _refused(self, answer: httpx2.Response) -> Exception:
        error = refusal_of(answer)
        if isinstance(error, ModelKeyRefusedError):
            self._token.drop()
        return error
