"""RunTool: do one thing that the model asks for; what goes wrong is told to the model and never ends the run."""

from plinth.contracts import RunToolInput, RunToolOutput
from plinth.contracts.models import Reply
from plinth.runtime import step
from plinth.runtime.tool_calls import make_call
from plinth.runtime.turns import outcome_name
from plinth.wiring import Services


def run_tool(request: RunToolInput, services: Services) -> RunToolOutput:
    """Keep the tool's outcome with the run. A store that fails is tried again by the machine, and then told too."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    call = services.runs.get_content(run, "reply", Reply).tool_calls[request.number - 1]
    outcome = make_call(call, asked, services, run=run, turn=request.turn)
    services.runs.put_content(run, outcome_name(request.turn, request.number), outcome)
    return RunToolOutput(done=not outcome.failed, tool=call.name if call.name in asked.tools else "")


handler = step(run_tool)
