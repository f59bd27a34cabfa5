"""RunTool: do one thing that the model asks for; what goes wrong is told to the model and never ends the run."""

from plinth.contracts import RunToolInput, RunToolOutput
from plinth.runtime import step
from plinth.runtime.own_surroundings import own_surroundings
from plinth.runtime.tool_calls import ToolRun, goes_outside, make_call
from plinth.tools.tool import Effect
from plinth.wiring import Services

_EFFECTS = (Effect.READ, Effect.WRITE)


def run_tool(request: RunToolInput, services: Services) -> RunToolOutput:
    """Keep the tool's outcome with the run. A store that fails is tried again by the machine, and then told too."""
    making = ToolRun(run=request.run, turn=request.turn, number=request.number, services=services)
    if goes_outside(making):
        return RunToolOutput(done=False, outside=True)
    done = making.keep(make_call(making, own_surroundings, effects=_EFFECTS))
    return RunToolOutput(done=done, tool=making.tool())


handler = step(run_tool)
