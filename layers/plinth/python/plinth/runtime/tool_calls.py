"""How a tool call is made: only if it was offered and needs no approval, and within its tool's time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from plinth.contracts.memory import SearchScope
from plinth.contracts.models import Prompt, ToolCall
from plinth.contracts.runs import Run, RunRequest
from plinth.contracts.tools import ToolOutcome
from plinth.runtime.retrieval import scope_of, search
from plinth.runtime.turns import prompt_name
from plinth.tools.approvals import needs_approval
from plinth.tools.tool import Effect, Surroundings, Tool, ToolFailedError
from plinth.tools.toolbox import TOOLS
from plinth.wiring import Services


def make_call(call: ToolCall, asked: RunRequest, services: Services, *, run: Run, turn: int) -> ToolOutcome:
    """Return what the call gave back, or why it was not made: whatever a tool does is told to the model."""
    tool = TOOLS.get(call.name)
    if tool is None or call.name not in asked.tools:
        return ToolOutcome(text="This tool is not offered.", failed=True)
    if needs_approval(tool.effect, tainted=_tainted(tool, run, services, turn=turn)):
        return ToolOutcome(text="This call needs a person's approval, which it does not have: not done.", failed=True)
    return _within_its_time(tool, call, _surroundings(scope_of(run, asked), services))


def _tainted(tool: Tool[Any], run: Run, services: Services, *, turn: int) -> bool:
    """Return whether the model had read untrusted text when it asked for the call; it matters to effects alone."""
    return tool.effect is Effect.READ or services.runs.get_content(run, prompt_name(turn), Prompt).tainted


def _surroundings(scope: SearchScope, services: Services) -> Surroundings:
    return Surroundings(
        now=services.clock.now(),
        search=lambda words, limit: search(scope, words, services, limit=limit)[0],
    )


def _within_its_time(tool: Tool[Any], call: ToolCall, surroundings: Surroundings) -> ToolOutcome:
    worker = ThreadPoolExecutor(1)
    try:
        return worker.submit(tool.call, call.arguments, surroundings).result(tool.timeout_seconds)
    except ToolFailedError as error:
        return ToolOutcome(text=str(error), failed=True)
    except TimeoutError:
        return ToolOutcome(text=f"The tool took longer than {tool.timeout_seconds:g} s.", failed=True)
    finally:
        worker.shutdown(wait=False, cancel_futures=True)
