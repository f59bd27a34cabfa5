"""What the OpenAPI document says: the resolver's own routes, the relay's streams beside them, problems for refusals."""

import json
import re
from typing import Any

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import TypeAdapter

from plinth.access.problems import PROBLEM_TYPE, Problem
from plinth.api.pipeline import OPEN_ROUTES
from plinth.relay.pages import EventPage

Json = dict[str, Any]

_VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/"
_TOOL_SCHEMAS = {"HTTPValidationError", "ValidationError", "ResponseValidationError"}
_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
_REFUSAL = {
    "description": "A problem document (RFC 9457).",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
}


def openapi_document(resolver: APIGatewayRestResolver) -> Json:
    """Return the OpenAPI 3.1 document of the whole API."""
    made = resolver.get_openapi_json_schema(
        title="Plinth", version=_VERSION, description="Ask questions about your documents; follow answers as they come."
    )
    document: Json = json.loads(made)
    document["paths"]["/v1/runs/{run_id}/events"] = {"get": _events_operation()}
    for path in OPEN_ROUTES:
        document["paths"][path]["get"]["security"] = []
    for operation in (found for path in document["paths"].values() for found in path.values()):
        operation["responses"]["default"] = _REFUSAL
    components: Json = document["components"]
    own = {name: schema for name, schema in components["schemas"].items() if name not in _TOOL_SCHEMAS}
    components["schemas"] = dict(sorted({**own, **_added_schemas()}.items()))
    components["securitySchemes"] = _SECURITY_SCHEMES
    document["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    return document


def allowed_methods(document: Json, path: str) -> list[str]:
    """Return the methods that the document has for a concrete path; none for an unknown one."""
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path.rstrip("/")):
            return sorted(method.upper() for method in operations)
    return []


def _added_schemas() -> Json:
    _, events = msgspec.json.schema_components([EventPage], ref_template=_SCHEMAS + "{name}")
    return {**events, "Problem": TypeAdapter(Problem).json_schema()}


def _events_operation() -> Json:
    number = {"type": "integer", "minimum": 0}
    return {
        "tags": ["runs"],
        "summary": "Follow a run's events",
        "description": (
            "With `Accept: text/event-stream`, server-sent events whose data is a LoggedEvent, until run.ended or for "
            "60 s: resume with Last-Event-ID. Otherwise a long poll. 204 to a stream means that nothing will follow."
        ),
        "operationId": "follow_events",
        "parameters": [
            {"name": "run_id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "Last-Event-ID", "in": "header", "schema": number},
            {"name": "after", "in": "query", "schema": {**number, "default": 0}},
            {"name": "wait", "in": "query", "schema": {**number, "maximum": 25, "default": 0}},
        ],
        "responses": {
            "200": {
                "description": "Events in order.",
                "content": {
                    "text/event-stream": {"schema": {"type": "string"}},
                    "application/json": {"schema": {"$ref": f"{_SCHEMAS}EventPage"}},
                },
            },
            "204": {"description": "The run has ended and the reader has every event."},
        },
    }
