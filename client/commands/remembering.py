"""`plinth conversations` and `plinth facts`: what is remembered of you, to read and to erase."""

import time
from typing import Annotated

import msgspec
import typer

from client.commands.choices import AsJson, EnvironmentName, output
from client.display import plain
from client.environments import LOCAL, environment_named
from client.errors import UsageError
from client.records import ConversationTurns
from plinth.contracts.conversations import Conversation, ModelSummary

app = typer.Typer()


@app.command(epilog="Examples: plinth conversations | plinth conversations talk | plinth conversations talk --erase")
def conversations(
    conversation: Annotated[str | None, typer.Argument(help="The one to read.", metavar="[ID]")] = None,
    *,
    erase: Annotated[bool, typer.Option("--erase", help="Erase this conversation.")] = False,
    env: EnvironmentName = LOCAL,
    json: AsJson = False,
) -> None:
    """List your conversations, read one, or erase it."""
    if erase and conversation is None:
        raise UsageError("name the conversation to erase: plinth conversations ID --erase")
    listed: tuple[Conversation, ...] | ConversationTurns
    with environment_named(env).api() as api:
        if conversation is None:
            listed = api.conversations()
            lines = [f"{each.id}  {_day(each.last_at)}" for each in listed]
        elif erase:
            api.erase_conversation(conversation)
            listed, lines = (), [f"erased {conversation}"]
        else:
            listed = api.conversation(conversation)
            lines = [line for turn in listed.turns for line in (f"> {turn.question}", turn.answer, "")]
            lines += _summary_lines(listed.summary)
    _print(msgspec.json.encode(listed).decode() if json else plain("\n".join(lines)))


@app.command(epilog="Examples: plinth facts | plinth facts --erase fact_07c2ea380d6d7e469e669ab6")
def facts(
    *,
    erase: Annotated[str | None, typer.Option(help="Erase the fact of this id.", metavar="ID")] = None,
    env: EnvironmentName = LOCAL,
    json: AsJson = False,
) -> None:
    """List what is remembered of you, or erase a fact."""
    with environment_named(env).api() as api:
        if erase is not None:
            api.erase_fact(erase)
        found = api.facts()
    lines = [f"{each.id}  {_day(each.at)}  {each.text}" for each in found]
    _print(msgspec.json.encode(found).decode() if json else plain("\n".join(lines)) or "nothing is remembered")


def _summary_lines(summary: ModelSummary | None) -> list[str]:
    if summary is None:
        return []
    since, until = _day(summary.from_at), _day(summary.until_at)
    cost = f"by {summary.model}, ${summary.cost_micro_usd / 1e6:.6f} in all"
    return [f"summary of {summary.turns} turns, {since} to {until}, {cost}:", summary.text, ""]


def _print(text: str) -> None:
    output().print(text, markup=False, soft_wrap=True)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))
