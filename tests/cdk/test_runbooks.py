"""Whoever an alarm wakes finds a page that says what to do, and no page speaks of an alarm that is gone."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from client.commands import app
from tests.cdk.assemblies import Assembly
from tests.cdk.conftest import Synthesized

FOLDER = Path("docs/runbooks")
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
PARTS = ["Means", "Users see", "First look", "Mend", "On the laptop"]
_COMMAND = re.compile(r"`plinth ([a-z-]+)(?: ([a-z][a-z-]*))?")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def _calling(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """Return every alarm that tells a person, by its name; one that scales an endpoint calls nobody."""
    alarms = assembly.resources("AWS::CloudWatch::Alarm")
    return {name: alarm["Properties"] for name, alarm in alarms.items() if "Alarms" in str(alarm["Properties"])}


@pytest.fixture
def descriptions(synthesized: Synthesized, everything: Assembly) -> dict[str, str]:
    """Return what each alarm of production, and of an environment with every endpoint, says of itself."""
    found = {**_calling(synthesized("prod")), **_calling(everything)}
    return {name: alarm.get("AlarmDescription", "") for name, alarm in found.items()}


def test_every_alarm_that_calls_somebody_names_a_runbook_that_is_there(descriptions: dict[str, str]) -> None:
    for name, text in descriptions.items():
        described = re.search(r"docs/runbooks/([a-z-]+)\.md", text)
        assert described, name
        assert (FOLDER / f"{described[1]}.md").is_file(), name


def test_a_runbook_names_each_of_its_alarms(descriptions: dict[str, str]) -> None:
    for name, text in descriptions.items():
        described = re.search(r"docs/runbooks/([a-z-]+)\.md", text)
        assert described, name
        named = re.findall(r"`([\w<>]+)`", (FOLDER / f"{described[1]}.md").read_text().partition("\n## ")[0])
        patterns = [each.replace("<Step>", "[A-Za-z]+") + "[0-9A-F]{8}" for each in named]
        assert any(re.fullmatch(each, name.rpartition("/")[2]) for each in patterns), name


def test_every_runbook_is_for_an_alarm(descriptions: dict[str, str]) -> None:
    told = " ".join(descriptions.values())

    assert len(descriptions) > 40
    assert [page.name for page in PAGES if page.name not in told] == []


@each_page
def test_a_runbook_has_the_same_parts_in_the_same_order_and_names_its_alarms(page: Path) -> None:
    text = page.read_text()

    assert re.findall(r"^## (.*)$", text, re.M) == PARTS
    assert re.search(r"^Alarms?: `", text, re.M)


@each_page
def test_a_runbook_names_only_commands_that_exist(page: Path) -> None:
    command = typer.main.get_command(app)
    known = set(vars(command)["commands"])

    assert {name for name, _ in _COMMAND.findall(page.read_text())} <= known
