"""The route of traces: what a run did and when, read off its own log."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from plinth.access.readable_runs import readable_run
from plinth.api.exchange import CurrentExchange
from plinth.contracts.traces import Trace
from plinth.tracing.waterfall import trace_of


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the route of traces."""
    resolver.get("/v1/runs/<run_id>/trace", summary="Read a run's trace", tags=["runs"], operation_id="get_trace")(
        get_trace
    )


def get_trace(run_id: str, exchange: CurrentExchange) -> Trace:
    """Return the steps of a run and their tries, also of one that is still going."""
    services, tenant = exchange.services, exchange.caller.tenant
    record = readable_run(services.runs, exchange.caller, run_id)
    return trace_of(record, services.run_log.read(tenant, run_id, after=0))
