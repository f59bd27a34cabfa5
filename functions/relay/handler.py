"""Relay: stream the events of runs, as an ASGI app that run.sh serves to the Lambda Web Adapter."""

from plinth.relay.application import make_relay
from plinth.wiring import Services

app = make_relay(Services())
