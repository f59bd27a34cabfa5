"""What every tool must be, and what the model is told of it."""

import re

import jsonschema_rs
import pytest

from plinth.chain.prompting import input_token_bound
from plinth.contracts.models import Message, Prompt, Role
from plinth.tools.current_time import CURRENT_TIME
from plinth.tools.tool import Surroundings
from plinth.tools.toolbox import TOOLS, specs

EVERY = pytest.mark.parametrize("name", TOOLS)


@EVERY
def test_a_tool_has_the_schema_of_its_arguments_at_the_top_and_takes_nothing_else(name: str) -> None:
    parameters = dict(TOOLS[name].spec.parameters)

    assert parameters["type"] == "object"
    assert parameters["additionalProperties"] is False
    assert not jsonschema_rs.validator_for(parameters).is_valid({"unheard_of": 1})


@EVERY
def test_a_tool_has_a_name_that_providers_take_a_description_and_a_time(name: str) -> None:
    tool = TOOLS[name]

    assert re.fullmatch(r"[a-z][a-z_]{0,63}", tool.name)
    assert tool.description.endswith(".")
    assert 0 < tool.timeout_seconds <= 20


def test_tools_are_offered_in_one_order_whatever_the_order_of_the_request() -> None:
    assert specs(["search_memory", "calculate"]) == specs(["calculate", "search_memory"])
    assert [spec.name for spec in specs(["search_memory", "calculate"])] == ["calculate", "search_memory"]


def test_the_bound_of_a_prompt_counts_its_tools_and_what_providers_add_for_them() -> None:
    bare = Prompt(version="1", system="", messages=(Message(role=Role.USER, text="Is it?"),))
    offered = Prompt(version="1", system="", messages=bare.messages, tools=specs(["calculate"]))

    assert input_token_bound(offered) - input_token_bound(bare) > 1000 + len(TOOLS["calculate"].description)


def test_the_time_is_told_with_its_weekday() -> None:
    noon = Surroundings(now=1_800_014_400.0, search=lambda _words, _limit: ())

    assert CURRENT_TIME.call("{}", noon).text == "Friday, 2027-01-15 12:00:00 UTC"
