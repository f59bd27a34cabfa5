"""The routes that need no key: whether the API answers, and what it can be asked."""

from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from plinth.api.exchange import CurrentExchange
from plinth.api.responses import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The API answers. Its stores are not asked, so that a health check costs nothing and harms nobody."""

    status: Literal["ok"]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes that need no key."""
    tags = ["reference"]
    resolver.get("/v1/health", summary="Ask if it answers", tags=tags, operation_id="get_health")(get_health)
    resolver.get("/v1/openapi.json", summary="Read this", tags=tags, operation_id="get_openapi")(get_openapi)


def get_health() -> Health:
    """Return ok; needs no key."""
    return Health(status="ok")


def get_openapi(exchange: CurrentExchange) -> Response[dict[str, Any]]:
    """Return the OpenAPI document; needs no key."""
    return Response(status_code=200, content_type=JSON, body=exchange.document())
