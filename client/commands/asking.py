"""`plinth ask`: the answer as it is made, then where it comes from, how long it took and what it cost."""

import sys
from collections.abc import Sequence
from typing import Annotated, Self

import msgspec
import typer
from rich.console import Console

from client import following
from client.api import Question
from client.commands.approving import ask_person
from client.commands.choices import AsJson, EnvironmentName, output, progress
from client.display import plain, receipt_lines, show_citations
from client.environments import LOCAL, environment_named
from client.errors import UsageError
from client.following import FollowedRun
from client.waterfall import waterfall
from plinth.contracts.events import ApprovalNeeded, Event, Reset, StepEnded, TextDelta
from plinth.contracts.runs import RunStatus
from plinth.tracing.waterfall import steps_of

app = typer.Typer()
_ENDS = {RunStatus.FAILED: "failed", RunStatus.CANCELLED: "was cancelled"}


@app.command(
    epilog='Examples: plinth ask "How do I purge a package?" | plinth ask --json "..." | jq .citations | '
    'plinth ask --conversation c1 "And without asking?"'
)
def ask(  # noqa: PLR0913 - each parameter is an option of the command
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    *,
    env: EnvironmentName = LOCAL,
    json: AsJson = False,
    model: Annotated[str | None, typer.Option(help="One of `plinth models`; the environment's own by default.")] = None,
    stream: Annotated[bool, typer.Option(help="Print the text while it is made.")] = True,
    conversation: Annotated[str | None, typer.Option(help="Continue, or begin, the conversation of this id.")] = None,
    max_output_tokens: Annotated[int | None, typer.Option(min=1, help="The longest answer, in tokens; 400.")] = None,
    tool: Annotated[list[str] | None, typer.Option(help="A tool that the model may use; can be repeated.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Only documents with this metadata, NAME=VALUE; can be repeated.")
    ] = None,
    deadline: Annotated[int | None, typer.Option(min=30, help="After so many seconds the run ends; 270.")] = None,
    max_turns: Annotated[int | None, typer.Option(min=1, help="How often the model may be asked; 5.")] = None,
) -> None:
    """Ask a question about your documents."""
    asked = Question(
        question=sys.stdin.read() if question == "-" else question,
        model=model,
        conversation_id=conversation,
        max_output_tokens=max_output_tokens,
        tools=tool,
        filter=filter_of(where),
        deadline_seconds=deadline,
        max_turns=max_turns,
    )
    with environment_named(env).api() as api, Screen(output(), streams=stream and not json) as screen:

        def decide(run_id: str, needed: ApprovalNeeded) -> None:
            screen.rest()
            ask_person(api, run_id, needed, env=env, interactive=not json)

        run = following.ask(api, asked, hear=screen.hear, decide=decide)
    if json:
        typer.echo(as_json(run))
    else:
        show(run, output(), streamed=stream)
    if not run.is_done:
        raise typer.Exit(1)


@app.command(epilog="Example: plinth cancel run_01m84xf42ztg0nd277beqf712a")
def cancel(
    run_id: Annotated[str, typer.Argument(help="The id that `plinth ask` prints.", metavar="RUN")],
    *,
    env: EnvironmentName = LOCAL,
) -> None:
    """Stop a run and its model; what was billed until then is settled, as its receipt says."""
    with environment_named(env).api() as api:
        run = api.cancel_run(run_id)
        ended = run.status.final
        if not ended:
            list(api.events(run_id))
            run = api.get_run(run_id)
    output().print(f"{'had ended: ' if ended else ''}{run.status}", markup=False)


def filter_of(where: Sequence[str] | None) -> dict[str, dict[str, list[str]]] | None:
    """Return the request's filter: one name's values are alternatives, and every name must match."""
    if not where:
        return None
    metadata: dict[str, list[str]] = {}
    for each in where:
        name, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"--where {each!r}: say NAME=VALUE")
        metadata.setdefault(name, []).append(value)
    return {"metadata": metadata}


def as_json(run: FollowedRun) -> str:
    """Return one JSON object with everything about the run."""
    ended = run.answer.ended
    content = {
        "run_id": run.run_id,
        "status": ended.status if ended else "unknown",
        "answer": run.answer.text,
        "citations": run.answer.citations,
        "receipt": run.answer.receipt,
        "steps": [msgspec.structs.asdict(step) for step in run.answer.steps if isinstance(step, StepEnded)],
        "timings": {"first_text_seconds": run.first_text_seconds, "total_seconds": run.total_seconds},
        "failure": {"reason": ended.reason, "message": ended.message} if ended and not run.is_done else None,
    }
    return msgspec.json.encode(content).decode()


def show(run: FollowedRun, console: Console, *, streamed: bool) -> None:
    """Print what comes after the text: citations, steps, receipt; and the text itself if it was not streamed."""
    console.print("" if streamed else plain(run.answer.text), markup=False, soft_wrap=True)
    if run.answer.citations:
        console.print("")
        show_citations(console, run.answer.citations)
    console.print("")
    console.print(waterfall(steps_of((1, each) for each in run.answer.steps)))
    console.print("")
    for line in receipt_lines(run.answer.receipt) if run.answer.receipt else []:
        console.print(line, markup=False, soft_wrap=True)
    first = f"first text after {run.first_text_seconds:.1f} s, " if run.first_text_seconds is not None else ""
    console.print(f"{first}all after {run.total_seconds:.1f} s, run {run.run_id}", markup=False)
    ended = run.answer.ended
    if ended and not run.is_done:
        progress().print(f"the run {_ENDS[ended.status]}: {plain(ended.message or '')} [{ended.reason}]", markup=False)


class Screen:
    """Prints text as it comes, with a note of what goes on until then."""

    def __init__(self, console: Console, *, streams: bool) -> None:
        self._console = console
        self._streams = streams
        self._waiting = progress().status("asking")

    def __enter__(self) -> Self:
        self._waiting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.stop()

    def rest(self) -> None:
        """Leave the terminal to somebody else; the note of what goes on comes back with the next run."""
        self._waiting.stop()

    def hear(self, event: Event) -> None:
        """Show one event."""
        if not self._streams:
            return
        if isinstance(event, TextDelta):
            self._waiting.stop()
            self._console.out(plain(event.text), end="")
            self._console.file.flush()
        elif isinstance(event, Reset):
            self._console.out("\n(the model is asked again, the text above does not count)\n")
