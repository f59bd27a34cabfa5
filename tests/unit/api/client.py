"""The API as a test calls it: events in the form of API Gateway's REST proxy, answers with their JSON read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from plinth.access.keys import ApiKey
from plinth.api.application import Api
from tests.unit.access.world import World


class Context(LambdaContext):
    """What Lambda tells a function about its call."""

    _aws_request_id = "request-1"
    _memory_limit_in_mb = 512

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 28_000


@dataclass(frozen=True)
class Answer:
    """A parsed answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    text: str
    json: dict[str, Any]

    @property
    def code(self) -> str:
        """The code of a problem document, after a look at the members that each must have."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.json["status"] == self.status
        assert self.json["title"]
        assert self.json["detail"]
        assert self.json["type"] == f"urn:plinth:problem:{self.json['code']}"
        return cast("str", self.json["code"])


def _text(body: object) -> str:
    """Return the body, which is text and never null: the embedded gateway fails on null."""
    assert isinstance(body, str)
    return body


@dataclass
class Client:
    """Calls the API with one key."""

    world: World
    key: ApiKey | None
    api: Api = field(init=False)

    def __post_init__(self) -> None:
        self.api = Api(self.world.services, pause=self.world.clock.advance)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str | list[str]] | None = None,
        is_base64: bool = False,
    ) -> Answer:
        """Send a request; a body that is no string is sent as JSON, a header with a list as fields of one name."""
        path, _, query = path.partition("?")
        bearer = {"Authorization": f"Bearer {self.key.text}"} if self.key else {}
        fields = {**bearer, **(headers or {})}
        sent = {name: [value] if isinstance(value, str) else value for name, value in fields.items()}
        parameters = dict(part.split("=", 1) for part in query.split("&")) if query else None
        event = {
            "httpMethod": method,
            "path": path,
            "headers": {name: values[-1] for name, values in sent.items()},
            "multiValueHeaders": sent,
            "queryStringParameters": parameters,
            "multiValueQueryStringParameters": {name: [value] for name, value in (parameters or {}).items()} or None,
            "body": body if isinstance(body, str | None) else json.dumps(body),
            "isBase64Encoded": is_base64,
            "requestContext": {"stage": "live", "path": f"/live{path}", "resourcePath": path},
        }
        answer = self.api(event, Context())
        return Answer(
            status=answer["statusCode"],
            headers={name.lower(): ", ".join(values) for name, values in answer["multiValueHeaders"].items()},
            text=_text(answer["body"]),
            json=json.loads(answer["body"] or "{}"),
        )

    def ask(
        self, question: str = "Why?", *, headers: Mapping[str, str | list[str]] | None = None, **fields: object
    ) -> Answer:
        """Ask a question."""
        return self.call("POST", "/v1/runs", {"question": question, **fields}, headers=headers)
