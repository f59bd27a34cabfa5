"""What the routes share while one request is answered: who asks, what they were admitted to, and the services."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from plinth.access.admission import limit_headers, policy_headers, require_admitted
from plinth.access.authentication import Caller
from plinth.contracts.limits import Admission, Left
from plinth.contracts.runs import Run
from plinth.errors import PlinthError, UnauthenticatedError
from plinth.runtime.measuring import Measured
from plinth.wiring import Services


@dataclass(kw_only=True)
class Exchange:
    """One request and its answer in the making; at `ends_at` (Unix seconds) the function is stopped."""

    services: Services
    measured: Measured
    ends_at: float
    request_id: str = ""
    route: str = ""
    run_id: str | None = None
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

    def admit(self, run: Run, *, tokens: int, holds: bool) -> None:
        """Take what the run takes of the tenant's limits; raise `RateLimitedError` or `OverloadedError`."""
        self.admission = self.services.limits.admit(run, self.caller.tier, tokens=tokens, holds=holds)
        require_admitted(self.admission, self.caller.tier)

    def headers(self) -> dict[str, str]:
        """Return the header fields that every answer carries."""
        limits: dict[str, str] = {}
        if self.authenticated:
            limits = policy_headers(self.authenticated.tier) | limit_headers(self._left(self.authenticated))
        return {"Cache-Control": "no-store", "X-Request-Id": self.request_id, **limits}

    def _left(self, caller: Caller) -> Sequence[Left]:
        """Return what is left, of which nothing is said where it can't be read: an answer is worth more."""
        if self.admission and self.admission.left:
            return self.admission.left
        with suppress(PlinthError):
            return self.services.limits.left(caller.tenant, caller.tier)
        return ()


def exchange_of(request: Request) -> Exchange:
    """Return the exchange that this request is part of."""
    exchange = request.context["exchange"]
    if not isinstance(exchange, Exchange):
        raise TypeError("the pipeline puts the exchange into the context")
    return exchange


CurrentExchange = Annotated[Exchange, Depends(exchange_of)]
