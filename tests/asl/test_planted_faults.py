"""The rules of the state machines bite: each finds the fault that is planted for it, in any nesting."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.asl import test_against_code as rules
from tests.asl.states import MACHINES, STARTS, Task, tasks

Rule = Callable[[Task], None]
Plant = Callable[[dict[str, Any]], object]

NESTED = ("RetrieveContext", "RunTool")
"""Steps inside a Parallel and a Map."""


def planted(name: str, plant: Plant) -> Task:
    """Return a task of the answer machine with a fault."""
    task = next(task for task in tasks("answer") if task.name == name)
    state = copy.deepcopy(task.state)
    plant(state)
    return replace(task, state=state)


def first_retry(state: dict[str, Any]) -> dict[str, Any]:
    retrier: dict[str, Any] = state["Retry"][0]
    return retrier


FAULTS: dict[str, tuple[Rule, Plant]] = {
    "a name of its own": (
        rules.test_a_state_a_placeholder_a_folder_a_function_and_its_contracts_have_one_name,
        lambda state: state.update(Resource="${ParseReplyArn}"),
    ),
    "an unknown field": (
        rules.test_a_payload_has_only_fields_that_the_step_knows_and_all_that_it_needs,
        lambda state: state["Arguments"].update(colour="blue"),
    ),
    "a field left out": (
        rules.test_a_payload_has_only_fields_that_the_step_knows_and_all_that_it_needs,
        lambda state: state["Arguments"].pop("run"),
    ),
    "an output that nobody gives": (
        rules.test_an_expression_reads_only_fields_that_the_step_returns,
        lambda state: state.update(Output="{% $states.result.result.colour %}"),
    ),
    "a state shorter than its function": (
        rules.test_a_function_times_out_before_its_state_and_its_state_before_the_machine,
        lambda state: state.update(TimeoutSeconds=1),
    ),
    "a state longer than its machine": (
        rules.test_a_function_times_out_before_its_state_and_its_state_before_the_machine,
        lambda state: state.update(TimeoutSeconds=286),
    ),
    "a state without a limit": (
        rules.test_a_function_times_out_before_its_state_and_its_state_before_the_machine,
        lambda state: state.pop("TimeoutSeconds"),
    ),
    "a transient error left out": (
        rules.test_every_transient_error_is_retried_with_backoff_and_jitter,
        lambda state: state["Retry"][1]["ErrorEquals"].remove("StoreUnavailableError"),
    ),
    "a retry without jitter": (
        rules.test_every_transient_error_is_retried_with_backoff_and_jitter,
        lambda state: first_retry(state).pop("JitterStrategy"),
    ),
    "an error that does not exist": (
        rules.test_every_error_name_of_a_state_exists,
        lambda state: first_retry(state)["ErrorEquals"].append("StoreBusyError"),
    ),
    "no Catch": (
        rules.test_a_failure_of_a_step_is_caught_unless_the_step_itself_writes_failures,
        lambda state: state.pop("Catch"),
    ),
    "a Catch of one error only": (
        rules.test_a_failure_of_a_step_is_caught_unless_the_step_itself_writes_failures,
        lambda state: state["Catch"][-1].update(ErrorEquals=["StoreUnavailableError"]),
    ),
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_in_a_parallel_and_in_a_map(name: str, fault: str) -> None:
    rule, plant = FAULTS[fault]

    rule(planted(name, lambda _state: None))
    with pytest.raises((AssertionError, KeyError)):
        rule(planted(name, plant))


def test_a_payment_that_is_repeated_though_it_may_have_been_made_is_found() -> None:
    fault = planted("CallModel", lambda state: state["Retry"][1]["ErrorEquals"].append("Lambda.ServiceException"))

    with pytest.raises(AssertionError):
        rules.test_every_transient_error_is_retried_with_backoff_and_jitter(fault)


def test_every_task_of_every_machine_is_looked_at_wherever_it_stands() -> None:
    """A text search finds as many task states as the walk through Parallel, Map and branches does."""
    for machine in MACHINES:
        text = (rules.Path("statemachines") / f"{machine}.asl.json").read_text()
        brief = text.count(f'"Resource": "{STARTS}')  # what starts a machine calls no function of ours
        assert text.count('"Type": "Task"') - brief == len(tasks(machine)) > 0, machine
