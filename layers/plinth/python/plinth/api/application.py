"""How the API is put together: routes, pipeline and problem documents, as one Lambda handler."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol, cast

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.middlewares import BaseMiddlewareHandler
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.typing import LambdaContext

from plinth.access.problems import PROBLEM_TYPE, problem_body, problem_headers, problem_of
from plinth.access.request_log import log_failure, log_request
from plinth.access.run_ids import run_of
from plinth.api import (
    approvals,
    conversations,
    documents,
    erasures,
    exports,
    health,
    imports,
    models,
    passages,
    runs,
    syncs,
    traces,
    usage,
)
from plinth.api.bodies import json_object
from plinth.api.exchange import Exchange, exchange_of
from plinth.api.openapi import Json, allowed_methods, openapi_document
from plinth.api.pipeline import judge
from plinth.api.validation import refusal_of
from plinth.errors import MethodNotAllowedError, NotFoundError
from plinth.money.platform import API_STEP
from plinth.runtime.measuring import Measured
from plinth.wiring import Services

Middleware = BaseMiddlewareHandler[APIGatewayRestResolver]

_SERVICE = "api"


class _Annotated(Protocol):
    """What Powertools' own annotations leave open."""

    context: dict[str, Exchange]

    def use(self, middlewares: list[Callable[..., Response[object]]]) -> None: ...


_request_validation: Callable[[], Middleware] = OpenAPIRequestValidationMiddleware


class Api:
    """The handler of every /v1 route but the event streams, for API Gateway's REST proxy events."""

    def __init__(self, services: Services, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._services = services
        self._pause = pause
        self._cold = True
        self._resolver = make_resolver()
        self._resolver.exception_handler(NoRouteError)(self._no_route)
        self._resolver.exception_handler(Exception)(self._refuse)

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one request and log one line about it."""
        measured = Measured(
            API_STEP, meter=self._services.meter, memory_mb=int(context.memory_limit_in_mb), cold=self._cold
        )
        self._cold = False
        exchange = Exchange(
            services=self._services,
            measured=measured,
            ends_at=self._services.clock.now() + context.get_remaining_time_in_millis() / 1000,
            request_id=context.aws_request_id,
            run_id=run_of(event["path"]),
            document=self._document,
            pause=self._pause,
        )
        cast("_Annotated", self._resolver).context["exchange"] = exchange
        answer = self._resolver.resolve(event, context)
        answer["body"] = answer.get("body") or ""  # a gateway may take no null for an empty body
        log_request(
            _SERVICE,
            caller=exchange.authenticated,
            method=event["httpMethod"],
            route=exchange.route,
            run_id=exchange.run_id,
            status=answer["statusCode"],
            duration_ms=measured.ended().duration_ms,
            request_id=exchange.request_id,
        )
        return answer

    def _document(self) -> Json:
        return openapi_document(self._resolver)

    def _no_route(self, _: NoRouteError) -> Response[object]:
        request = self._resolver.request
        exchange_of(request).route = "none"
        allowed = allowed_methods(self._document(), request.resolved_event.path)
        if allowed and request.method not in allowed:
            methods = ", ".join(allowed)
            raise MethodNotAllowedError(f"{request.method} is not for this route: use {methods}", allowed=methods)
        raise NotFoundError("no such route: GET /v1/openapi.json lists them")

    def _refuse(self, error: Exception) -> Response[object]:
        exchange = exchange_of(self._resolver.request)
        told = refusal_of(error) if isinstance(error, RequestValidationError) else error
        problem = problem_of(told, request_id=exchange.request_id)
        if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log_failure(_SERVICE, error, request_id=exchange.request_id)
        return Response(
            status_code=problem.status,
            content_type=PROBLEM_TYPE,
            body=msgspec.json.encode(problem_body(problem)).decode(),
            headers={**exchange.headers(), **problem_headers(told)},
        )


def make_resolver() -> APIGatewayRestResolver:
    """Return the routes behind the pipeline. Validation follows it, so that no field is looked at without a key."""
    resolver = APIGatewayRestResolver(json_body_deserializer=json_object)
    cast("_Annotated", resolver).use([judge, _request_validation(), OpenAPIResponseValidationMiddleware()])
    runs.add_routes(resolver)
    approvals.add_routes(resolver)
    traces.add_routes(resolver)
    conversations.add_routes(resolver)
    documents.add_routes(resolver)
    erasures.add_routes(resolver)
    exports.add_routes(resolver)
    passages.add_routes(resolver)
    imports.add_routes(resolver)
    syncs.add_routes(resolver)
    models.add_routes(resolver)
    usage.add_routes(resolver)
    health.add_routes(resolver)
    return resolver
