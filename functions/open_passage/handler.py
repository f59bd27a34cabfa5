"""OpenPassage: answer the one route of the API that reads the search engine, and so stands in its network."""

from plinth.api.application import Api
from plinth.wiring import Services

handler = Api(Services())
