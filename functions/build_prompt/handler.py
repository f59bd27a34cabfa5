"""BuildPrompt: choose the passages that fit the model and write the prompt."""

from plinth.chain.prompting import build_prompt as prompt_from
from plinth.chain.prompting import choose_passages
from plinth.chain.routing import route_of
from plinth.contracts import BuildPromptInput, BuildPromptOutput
from plinth.contracts.memory import StoredPassage
from plinth.contracts.runs import Turn
from plinth.runtime import step
from plinth.wiring import Services


def build_prompt(request: BuildPromptInput, services: Services) -> BuildPromptOutput:
    """Keep the prompt and the passages that it numbers with the run."""
    run = request.run
    asked = services.runs.get(run.tenant, run.id).request
    ranked = services.runs.get_content(run, "passages", tuple[StoredPassage, ...])
    turns = services.runs.get_content(run, "turns", tuple[Turn, ...]) if request.turns else ()
    passages = choose_passages(ranked, characters=route_of(asked).passage_characters)
    prompt = prompt_from(asked.question, passages, turns)
    services.runs.put_content(run, "prompt", prompt)
    return BuildPromptOutput(prompt_version=prompt.version)


handler = step(build_prompt)
