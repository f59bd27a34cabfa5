"""RunTool: do one thing that the model asks for; what goes wrong is told to the model and never ends the run."""

from concurrent.futures import ThreadPoolExecutor

from plinth.contracts import RunToolInput, RunToolOutput
from plinth.contracts.models import Reply, ToolCall
from plinth.contracts.runs import RunRequest
from plinth.contracts.tools import ToolOutcome
from plinth.runtime import step
from plinth.runtime.retrieval import search
from plinth.runtime.turns import outcome_name
from plinth.tools.tool import Surroundings, ToolFailedError
from plinth.tools.toolbox import TOOLS
from plinth.wiring import Services


def run_tool(request: RunToolInput, services: Services) -> RunToolOutput:
    """Keep the tool's outcome with the run. A store that fails is tried again by the machine, and then told too."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    call = services.runs.get_content(run, "reply", Reply).tool_calls[request.number - 1]
    surroundings = Surroundings(
        now=services.clock.now(), search=lambda words, limit: search(run.tenant, words, services, limit=limit)[0]
    )
    outcome = _outcome(call, asked, surroundings)
    services.runs.put_content(run, outcome_name(request.turn, request.number), outcome)
    return RunToolOutput(done=not outcome.failed)


def _outcome(call: ToolCall, asked: RunRequest, surroundings: Surroundings) -> ToolOutcome:
    tool = TOOLS.get(call.name)
    if tool is None or call.name not in asked.tools:
        return ToolOutcome(text="This tool is not offered.", failed=True)
    worker = ThreadPoolExecutor(1)
    try:
        return worker.submit(tool.call, call.arguments, surroundings).result(tool.timeout_seconds)
    except ToolFailedError as error:
        return ToolOutcome(text=str(error), failed=True)
    except TimeoutError:
        return ToolOutcome(text=f"The tool took longer than {tool.timeout_seconds:g} s.", failed=True)
    finally:
        worker.shutdown(wait=False, cancel_futures=True)


handler = step(run_tool)
