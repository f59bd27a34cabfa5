"""What the routes share while one request is answered: who asks, what they were admitted to, and the services."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from plinth.access.admission import admit, limit_headers, require_admitted
from plinth.access.authentication import Caller
from plinth.contracts.access import Admission
from plinth.errors import UnauthenticatedError
from plinth.wiring import Services


@dataclass(kw_only=True)
class Exchange:
    """One request and its answer in the making."""

    services: Services
    request_id: str = ""
    route: str = ""
    body: bytes = b""
    authenticated: Caller | None = None
    admission: Admission | None = None
    document: Callable[[], dict[str, Any]] = dict
    pause: Callable[[float], None] = time.sleep

    @property
    def caller(self) -> Caller:
        """Who asks; fails closed on a route that let nobody authenticate."""
        if self.authenticated is None:
            raise UnauthenticatedError("this route needs a key")
        return self.authenticated

    def admit(self) -> None:
        """Count this request against the tenant's limit, or raise `RateLimitedError`."""
        self.admission = admit(self.caller, self.services.rate_limiter)
        require_admitted(self.admission, self.caller.tier)

    def headers(self) -> dict[str, str]:
        """Return the header fields that every answer carries."""
        limits = limit_headers(self.authenticated.tier, self.admission) if self.authenticated else {}
        return {"Cache-Control": "no-store", "X-Request-Id": self.request_id, **limits}


def exchange_of(request: Request) -> Exchange:
    """Return the exchange that this request is part of."""
    exchange = request.context["exchange"]
    if not isinstance(exchange, Exchange):
        raise TypeError("the pipeline puts the exchange into the context")
    return exchange


CurrentExchange = Annotated[Exchange, Depends(exchange_of)]
