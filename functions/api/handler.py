"""Api: answer every /v1 request but the event streams."""

from plinth.api.application import Api
from plinth.wiring import Services

handler = Api(Services())
