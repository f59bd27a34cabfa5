"""BuildPrompt: write the prompt from the chosen passages, or add what tools gave back."""

from plinth.chain.executions import hands_over
from plinth.chain.prompting import build_prompt as prompt_from
from plinth.contracts import BuildPromptInput, BuildPromptOutput
from plinth.contracts.runs import Turn
from plinth.runtime import step
from plinth.runtime.provenance import known_of
from plinth.runtime.turns import next_prompt, numbered_passages, prompt_name
from plinth.tools.toolbox import specs
from plinth.wiring import Services


def build_prompt(request: BuildPromptInput, services: Services) -> BuildPromptOutput:
    """Keep the prompt of the model's next turn with the run."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    if request.turn > 1:
        prompt = next_prompt(run, services, turn=request.turn, last=request.turn >= asked.max_turns)
    else:
        turns = services.runs.get_content(run, "turns", tuple[Turn, ...]) if request.turns else ()
        passages = numbered_passages(run, services, turn=1)
        prompt = prompt_from(asked.question, passages, turns, known=known_of(run, services), tools=specs(asked.tools))
    services.runs.put_content(run, prompt_name(request.turn), prompt)
    later = hands_over(run, now=services.clock.now())
    return BuildPromptOutput(prompt_version=prompt.version, hand_over=later)


handler = step(build_prompt)
