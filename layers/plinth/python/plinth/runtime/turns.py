"""Where a run keeps what its model's turns hand to one another: prompts, tools' outcomes, numbered passages."""

from plinth.chain.tool_turns import MAX_CALLS, number_found, with_results
from plinth.contracts.memory import StoredPassage
from plinth.contracts.models import Prompt, Reply
from plinth.contracts.runs import Run
from plinth.contracts.tools import ToolOutcome
from plinth.errors import ContentMissingError
from plinth.wiring import Services


def prompt_name(turn: int) -> str:
    """Return the name of a turn's prompt: each has its own, so that a repeated step builds the same again."""
    return "prompt" if turn == 1 else f"prompt-{turn}"


def asking_reply_name(turn: int) -> str:
    """Return the name of a reply whose tools wait for a person: those who go on may come after later replies."""
    return f"reply-{turn}"


def outcome_name(run: Run, turn: int, number: int) -> str:
    """Return the name of what the turn's tool number `number` gave back to this execution of the run."""
    return f"tool-{run.epoch}-{turn}-{number}"


def numbered_passages(run: Run, services: Services, *, turn: int) -> tuple[StoredPassage, ...]:
    """Return the passages in the order of the numbers by which the turn's prompt names them."""
    name = "passages" if turn == 1 else f"numbered-{turn}"
    return services.runs.get_content(run, name, tuple[StoredPassage, ...])


def next_prompt(run: Run, services: Services, *, turn: int, last: bool) -> Prompt:
    """Return the prompt of a turn after tools, and keep the passages that it numbers."""
    before = services.runs.get_content(run, prompt_name(turn - 1), Prompt)
    reply = services.runs.get_content(run, "reply", Reply)
    made = min(len(reply.tool_calls), MAX_CALLS)
    outcomes = [_outcome(run, services, turn - 1, number) for number in range(1, made + 1)]
    numbered = number_found(numbered_passages(run, services, turn=turn - 1), outcomes)
    services.runs.put_content(run, f"numbered-{turn}", numbered)
    return with_results(before, reply, outcomes, numbered=numbered, last=last)


def _outcome(run: Run, services: Services, turn: int, number: int) -> ToolOutcome | None:
    try:
        return services.runs.get_content(run, outcome_name(run, turn, number), ToolOutcome)
    except ContentMissingError:
        return None
