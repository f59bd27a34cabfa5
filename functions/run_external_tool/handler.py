"""RunExternalTool: do one thing outside that the model asks for, with no right on anything inside but the run."""

from plinth.contracts import RunExternalToolInput, RunExternalToolOutput
from plinth.runtime import step
from plinth.runtime.outer_surroundings import outer_surroundings
from plinth.runtime.tool_calls import ToolRun, make_call
from plinth.tools.tool import Effect
from plinth.wiring import Services


def run_external_tool(request: RunExternalToolInput, services: Services) -> RunExternalToolOutput:
    """Keep the tool's outcome with the run, as RunTool does."""
    making = ToolRun(run=request.run, turn=request.turn, number=request.number, services=services)
    done = making.keep(make_call(making, outer_surroundings, effects=(Effect.EXTERNAL,)))
    return RunExternalToolOutput(done=done, tool=making.tool())


handler = step(run_external_tool)
