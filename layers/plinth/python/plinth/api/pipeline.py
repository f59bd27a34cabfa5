"""In which order a request is judged: size, key, scope, form of the body; then come its fields and its route."""

from collections.abc import Callable, Mapping
from typing import cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Route

from plinth.access.authentication import Scope, authenticate
from plinth.api.bodies import body_bytes, require_json_type
from plinth.api.exchange import Exchange, exchange_of
from plinth.errors import InvalidFieldError

OPEN_ROUTES = ("/v1/health", "/v1/openapi.json")
"""Every other route, known or not, needs a key."""
_SCOPES: Mapping[str, tuple[Scope, Scope] | None] = {
    "models": None,
    "runs": (Scope.RUNS_READ, Scope.RUNS_WRITE),
    "documents": (Scope.DOCUMENTS_READ, Scope.DOCUMENTS_WRITE),
    "imports": (Scope.DOCUMENTS_READ, Scope.DOCUMENTS_WRITE),
    "usage": (Scope.USAGE_READ, Scope.USAGE_READ),
    "conversations": (Scope.RUNS_READ, Scope.RUNS_WRITE),
    "facts": (Scope.RUNS_READ, Scope.RUNS_WRITE),
    "users": (Scope.ERASE, Scope.ERASE),
    "tenants": (Scope.ADMIN, Scope.ADMIN),
    "syncs": (Scope.ADMIN, Scope.ADMIN),
    "erasures": None,
    "exports": (Scope.EXPORT, Scope.EXPORT),
}
"""What reading and writing need, by the first part of the path; None where any key will do, or the route decides."""


def judge(
    app: ApiGatewayResolver, next_middleware: Callable[[ApiGatewayResolver], Response[object]]
) -> Response[object]:
    """Raise the error that the request deserves, or let it pass and put the common header fields on its answer."""
    request, event = app.request, app.current_event
    exchange = exchange_of(request)
    exchange.route = request.route
    exchange.body = body_bytes(event.body or "", is_base64=bool(event.is_base64_encoded))
    route = cast("Route", app.context["_route"])
    is_known = not route.rule.match("")  # what matches no route is given one that matches everything
    if request.route not in OPEN_ROUTES:
        _authenticate(exchange, event.headers)
        if is_known:
            _require_scope(exchange, request.method, request.route)
    if is_known:
        _refuse_strange_parameters(route, event.query_string_parameters or {})
    if exchange.body and (content_type := event.headers.get("content-type", "")):
        require_json_type(content_type)
        event.raw_event["headers"]["content-type"] = "application/json"  # Powertools knows it in lower case only
    if preferences := cast("list[str]", event.resolved_headers_field.get("prefer")):
        preferences[:] = [", ".join(preferences)]  # fields of one name are a list (RFC 7240, section 2)
    response = next_middleware(app)
    response.headers.update(exchange.headers())
    return response


def _refuse_strange_parameters(route: Route, sent: Mapping[str, str]) -> None:
    """Raise `InvalidFieldError` for a query parameter that the route does not know: it would be ignored."""
    known = sorted(field.alias for field in route.dependant.query_params)
    for name in sent:
        if name not in known:
            remedy = f"use some of {', '.join(known)}" if known else "leave it out"
            raise InvalidFieldError(name[:80], f"is not a parameter of this route: {remedy}")


def _authenticate(exchange: Exchange, headers: dict[str, str]) -> None:
    services = exchange.services
    exchange.authenticated = authenticate(
        headers, services.tenants, environment=services.settings.environment, now=services.clock.now()
    )


def _require_scope(exchange: Exchange, method: str, route: str) -> None:
    """Raise `MissingScopeError`; a route whose resource is not listed answers nobody."""
    if scopes := _SCOPES[route.split("/")[2]]:
        read, write = scopes
        exchange.caller.require(read if method == "GET" else write)
