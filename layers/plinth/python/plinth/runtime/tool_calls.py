"""How a tool call is made: only if it was offered, with approval where it needs one, and within its tool's time."""

from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from plinth.chain.tool_turns import RESULT_CHARACTERS
from plinth.contracts.models import Prompt, Reply, ToolCall
from plinth.contracts.runs import Run, RunRecord, RunRequest
from plinth.contracts.tools import ToolOutcome
from plinth.runtime.leases import require_own
from plinth.runtime.turns import outcome_name, prompt_name
from plinth.tools.approvals import call_name, needs_approval, why_not
from plinth.tools.tool import Effect, Surroundings, Tool, ToolFailedError
from plinth.tools.toolbox import TOOLS
from plinth.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """One call of a turn's reply, by its number from 1. `given_up` is set once nobody waits for it any more."""

    run: Run
    turn: int
    number: int
    services: Services
    given_up: Event = field(default_factory=Event)

    def record(self) -> RunRecord:
        """Return the run as it stands."""
        return self.services.runs.get(self.run.tenant, self.run.id)

    def call(self) -> ToolCall:
        """Return what the model asks for."""
        return self.services.runs.get_content(self.run, "reply", Reply).tool_calls[self.number - 1]

    def tool(self) -> str:
        """Return the tool's name, or nothing for one that was not offered: the name is then the model's own text."""
        name = self.call().name
        return name if name in self.record().request.tools else ""

    def tainted(self) -> bool:
        """Return whether the model had read untrusted text when it asked."""
        return self.services.runs.get_content(self.run, prompt_name(self.turn), Prompt).tainted

    def keep(self, outcome: ToolOutcome) -> bool:
        """Keep what came of the call for the model's next turn; return whether it did what it was asked."""
        cut = replace(outcome, text=outcome.text[: RESULT_CHARACTERS + 1])
        self.services.runs.put_content(self.run, outcome_name(self.run, self.turn, self.number), cut)
        return not outcome.failed


def goes_outside(making: ToolRun) -> bool:
    """Return whether the call is one for the function that reaches outside, which holds no right on what is inside."""
    tool = TOOLS.get(making.call().name)
    return tool is not None and tool.effect is Effect.EXTERNAL


def make_call(
    making: ToolRun, surroundings: Callable[[ToolRun, RunRequest], Surroundings], *, effects: Container[Effect]
) -> ToolOutcome:
    """Return what the call gave back, or why it was not made: whatever a tool does is told to the model.

    `effects` are those of the tools that the calling function may run.
    """
    call, record = making.call(), making.record()
    asked = record.request
    tool = TOOLS.get(call.name)
    if tool is None or call.name not in asked.tools or tool.effect not in effects:
        return ToolOutcome(text="This tool is not offered.", failed=True)
    tainted = tool.effect is not Effect.READ and making.tainted()
    if needs_approval(tool.effect, tainted=tainted) and (refused := _not_approved(making, call, record, tool.effect)):
        return ToolOutcome(text=refused, failed=True)
    return _within_its_time(tool, call, making, surroundings(making, asked))


def _not_approved(making: ToolRun, call: ToolCall, record: RunRecord, effect: Effect) -> str | None:
    """Return why the call is not made, looked at as late as can be: nothing is left but to make it.

    What reaches outside can't know that it was asked before, so its approval counts once.
    """
    require_own(making.run, record)
    name = call_name(making.turn, making.number)
    if refused := why_not(record.approvals, call, name=name, now=making.services.clock.now()):
        return refused
    if effect is Effect.EXTERNAL and not making.services.approvals.use(making.run, name):
        return "This call was begun before: it may have been done, or not."
    return None


def _within_its_time(tool: Tool[Any], call: ToolCall, making: ToolRun, surroundings: Surroundings) -> ToolOutcome:
    worker = ThreadPoolExecutor(1)
    try:
        return worker.submit(tool.call, call.arguments, surroundings).result(tool.timeout_seconds)
    except ToolFailedError as error:
        return ToolOutcome(text=str(error), failed=True)
    except TimeoutError:
        doubt = "" if tool.effect is Effect.READ else " It may have been done, or not."
        return ToolOutcome(text=f"The tool took longer than {tool.timeout_seconds:g} s.{doubt}", failed=True)
    finally:
        making.given_up.set()
        worker.shutdown(wait=False, cancel_futures=True)
