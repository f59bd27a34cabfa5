"""`make tool NAME=...`: begin a tool with its module, its test and its place in the toolbox, all of which pass."""

import re
import sys
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_TOOLBOX = Path("layers/plinth/python/plinth/tools/toolbox.py")
_MODULE = '''"""{name}: say here what the tool gives the model."""

from typing import Annotated

from msgspec import Meta

from plinth.contracts.tools import ToolOutcome
from plinth.tools.tool import Arguments, Effect, Surroundings, Tool, ToolFailedError


class {kind}Arguments(Arguments):
    """What the model gives; each field says what it means and how large it may be."""

    text: Annotated[str, Meta(min_length=1, max_length=200, description="What to work on.")]


def {name}(given: {kind}Arguments, _surroundings: Surroundings) -> ToolOutcome:
    """Return what came of it. Whoever asks for what can't be done is told why."""
    if not given.text.strip():
        raise ToolFailedError("the text is blank")
    return ToolOutcome(text=given.text)


{constant} = Tool(
    name="{name}",
    description="Say in a sentence what it does and when to use it.",
    arguments={kind}Arguments,
    effect=Effect.READ,
    timeout_seconds=2.0,
    work={name},
)
'''
_TEST = '''"""{name}: what it gives back, and what it refuses."""

import pytest

from plinth.tools.{name} import {constant}
from plinth.tools.tool import Surroundings, ToolFailedError

NOWHERE = Surroundings(now=0.0)


def test_it_gives_back_what_it_was_given() -> None:
    assert {constant}.call('{{"text": "tea"}}', NOWHERE).text == "tea"


@pytest.mark.parametrize("arguments", ["{{}}", '{{"text": ""}}', '{{"text": " "}}', '{{"text": "a", "more": 1}}', "["])
def test_other_arguments_are_told_to_the_model(arguments: str) -> None:
    with pytest.raises(ToolFailedError):
        {constant}.call(arguments, NOWHERE)
'''


class NewToolError(ValueError):
    """The tool can't be begun; the message says why and what to pass instead."""


def begin_tool(root: Path, name: str) -> list[Path]:
    """Write the tool's files below the root of the repository and return them, or raise `NewToolError`."""
    if not NAME.fullmatch(name) or len(name) > 64:
        raise NewToolError(f"{name!r} is no name of a tool: use a verb and a noun, such as convert_units")
    toolbox = root / _TOOLBOX
    module, test = toolbox.parent / f"{name}.py", root / "tests/unit/tools" / f"test_{name}.py"
    taken = next((path for path in (module, test) if path.exists()), None)
    if taken:
        raise NewToolError(f"{taken.relative_to(root)} exists already: take another name")
    words = {"name": name, "kind": "".join(map(str.capitalize, name.split("_"))), "constant": name.upper()}
    module.write_text(_MODULE.format(**words))
    test.write_text(_TEST.format(**words))
    toolbox.write_text(_registered(toolbox.read_text(), name))
    return [module, test, toolbox]


def _registered(toolbox: str, name: str) -> str:
    """Return the toolbox with the tool at its end, so that the prompts of all others keep their beginning."""
    lines = toolbox.splitlines()
    lines.append(f"from plinth.tools.{name} import {name.upper()}")
    imports = sorted(line for line in lines if line.startswith("from plinth."))
    others = [line for line in lines if not line.startswith("from plinth.")]
    first = next(number for number, line in enumerate(lines) if line.startswith("from plinth."))
    others[first:first] = imports
    end = others.index(")", others.index("_ALL: tuple[Tool[Any], ...] = ("))
    others.insert(end, f"    {name.upper()},")
    return "\n".join(others) + "\n"


def main() -> int:
    """Begin the tool that the first argument names."""
    try:
        written = begin_tool(Path.cwd(), sys.argv[1] if len(sys.argv) > 1 else "")
    except NewToolError as error:
        sys.stderr.write(f"make tool NAME=convert_units: {error}\n")
        return 2
    for path in written:
        sys.stdout.write(f"wrote {path.relative_to(Path.cwd())}\n")
    sys.stdout.write(
        "next: what it does, its effect and its time, its test, and its name in the tiers that may use it\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
