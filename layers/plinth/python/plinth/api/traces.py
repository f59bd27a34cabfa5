"""The routes of traces: what a run did and when, read off its own log, and with what."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from plinth.access.authentication import Scope
from plinth.access.readable_runs import readable_run
from plinth.api.exchange import CurrentExchange
from plinth.chain.catalogue import catalogue
from plinth.contracts.traces import RunContents, Trace
from plinth.tracing.contents import readable_contents
from plinth.tracing.waterfall import trace_of


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of traces."""
    resolver.get("/v1/runs/<run_id>/trace", summary="Read a run's trace", tags=["runs"], operation_id="get_trace")(
        get_trace
    )
    resolver.get(
        "/v1/runs/<run_id>/contents",
        summary="Read what a run's steps handed to one another",
        tags=["runs"],
        operation_id="get_contents",
    )(get_contents)


def get_trace(run_id: str, exchange: CurrentExchange) -> Trace:
    """Return the steps of a run and their tries, also of one that is still going."""
    services, tenant = exchange.services, exchange.caller.tenant
    record = readable_run(services.runs, exchange.caller, run_id)
    providers = {name: model.provider for name, model in catalogue().models.items()}
    return trace_of(record, services.run_log.read(tenant, run_id, after=0), provider_of=providers)


def get_contents(run_id: str, exchange: CurrentExchange) -> RunContents:
    """Return passages, prompts, replies and tools' results as the run's tier lets them be read."""
    exchange.caller.require(Scope.CONTENTS_READ)
    record = readable_run(exchange.services.runs, exchange.caller, run_id)
    return readable_contents(record, exchange.services.runs.contents(exchange.caller.tenant, run_id))
