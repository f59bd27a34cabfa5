"""Scripted providers on loopback, for tests that want every answer and failure of a model's wire.

In a test: `with ProviderServer() as provider:` and `provider.books.play(Script(...))`, or let each prompt choose.
As a process: `python -m tests.fakes.providers --port P`; `GET /_calls` and `/_bills` tell what happened.

A prompt chooses by a token: `[[script:PLAN]]` or `[[script:PLAN:ARGUMENT]]`. The calls of one token are counted
together, so that an argument of its own gives each run a sequence of its own. PLAN is:

    ok                                     a name of `scripts.BY_NAME`, played for every call
    429+500+ok                             in this order, the last from then on; a number is that status
    429@2                                  that status with `retry-after: 2`
    stall@3+ok                             a fault for 3 seconds; `cut@120` after byte 120; `error_later@2` at event 2
    claude-haiku-5-5=500|gpt-5-mini=cut+ok by the model that is asked (an endpoint's name where it has no other),
                                           each counted by itself; other models say `ok`
"""

from tests.fakes.providers.books import Books, Call
from tests.fakes.providers.scripts import BY_NAME, CALL, Fault, Script, failing, status
from tests.fakes.providers.server import ProviderServer

__all__ = ["BY_NAME", "CALL", "Books", "Call", "Fault", "ProviderServer", "Script", "failing", "status"]
