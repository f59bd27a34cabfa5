"""How the outside world comes in: a regional REST API before one function, and the relay for streams."""

import json

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigateway as gateway
from constructs import Construct

from cdk.constructs.chain_step import ChainStep, Surroundings
from cdk.constructs.journal import journal
from cdk.environments import Environment
from cdk.permissions import Permissions
from cdk.stacks.foundations import Foundations
from cdk.steps import API, OPEN_PASSAGE, RELAY

STAGE = "live"
GATEWAY_TIMEOUT = Duration.seconds(29)
STREAM_TIMEOUT = Duration.seconds(RELAY.timeout_seconds)
_LOGGED = (
    "requestId",
    "httpMethod",
    "resourcePath",
    "status",
    "responseLatency",
    "integrationLatency",
    "responseLength",
)


class ApiStack(Stack):
    """Everything under /v1 goes to `api`; on AWS the events of a run go to the relay, which streams.

    The functions authenticate by themselves, so that a revoked key stops working at once.
    """

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations, starting: Permissions) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        environment = foundations.environment
        surroundings = foundations.surroundings(self, starting)
        self.rest = _rest_api(self, environment)
        routes = self.rest.root.add_resource("v1")
        api = ChainStep(self, step=API, surroundings=surroundings)
        api.function.add_environment("PLINTH_DEFAULT_MODEL", environment.default_model)
        routes.add_proxy(default_integration=gateway.LambdaIntegration(api.invoked, timeout=GATEWAY_TIMEOUT))
        opening = ChainStep(self, step=OPEN_PASSAGE, surroundings=surroundings)
        foundations.memory.admit(self, [opening])
        _passages(routes, api=api, opening=opening)
        self.steps = [api, opening]
        if environment.relay == "lambda":
            self.steps.append(_streaming(routes, surroundings))
        for name, value in {"RestApiId": self.rest.rest_api_id, "Stage": STAGE, "ApiUrl": self.rest.url}.items():
            CfnOutput(self, name, value=value)


def _passages(routes: gateway.Resource, *, api: ChainStep, opening: ChainStep) -> None:
    """Put the function that searches before its one route; what lies beside that stays the API's."""
    to_api = gateway.LambdaIntegration(api.invoked, timeout=GATEWAY_TIMEOUT)
    documents = routes.add_resource("documents")
    document = documents.add_resource("{document}")
    for each in (documents, document):
        each.add_method("ANY", to_api)
    document.add_proxy(default_integration=to_api)
    integration = gateway.LambdaIntegration(opening.invoked, timeout=GATEWAY_TIMEOUT)
    document.add_resource("passages").add_resource("{position}").add_method("GET", integration)


def _streaming(routes: gateway.Resource, surroundings: Surroundings) -> ChainStep:
    """Put the relay, an ASGI app behind Lambda Web Adapter, before `GET /v1/runs/{id}/events`."""
    stack = Stack.of(routes)
    relay = ChainStep(stack, step=RELAY, surroundings=surroundings)
    relay.stream_over_http(adapter=surroundings.environment.relay_adapter_layer.format(region=stack.region), port=8080)
    integration = gateway.LambdaIntegration(
        relay.invoked, response_transfer_mode=gateway.ResponseTransferMode.STREAM, timeout=STREAM_TIMEOUT
    )
    routes.add_resource("runs").add_resource("{id}").add_resource("events").add_method("GET", integration)
    return relay


def _rest_api(stack: Stack, environment: Environment) -> gateway.RestApi:
    log = journal(stack, "AccessLog", environment=environment)
    rest = gateway.RestApi(
        stack,
        "Rest",
        endpoint_types=[gateway.EndpointType.REGIONAL],
        cloud_watch_role=True,
        deploy_options=gateway.StageOptions(
            stage_name=STAGE,
            access_log_destination=gateway.LogGroupLogDestination(log),
            access_log_format=gateway.AccessLogFormat.custom(
                json.dumps({name: f"$context.{name}" for name in _LOGGED})
            ),
            logging_level=gateway.MethodLoggingLevel.ERROR,
            metrics_enabled=True,
            tracing_enabled=True,
            throttling_rate_limit=environment.requests_per_second,
            throttling_burst_limit=2 * environment.requests_per_second,
        ),
    )
    _answer_problems(rest, gateway.ResponseType.DEFAULT_4_XX, code="gateway_refused")
    _answer_problems(rest, gateway.ResponseType.DEFAULT_5_XX, code="unavailable")
    _answer_problems(rest, gateway.ResponseType.THROTTLED, code="rate_limited")
    return rest


def _answer_problems(rest: gateway.RestApi, kind: gateway.ResponseType, *, code: str) -> None:
    """Give the gateway's own errors the shape of all others (RFC 9457)."""
    fields = f'"type":"urn:plinth:problem:{code}","code":"{code}","title":$context.error.messageString'
    rest.add_gateway_response(
        kind.response_type,
        type=kind,
        response_headers={"Content-Type": "'application/problem+json'"},
        templates={"application/json": f"{{{fields}}}"},
    )
