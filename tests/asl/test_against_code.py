"""The state machines and the code that they call say the same."""

import dataclasses
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cdk.steps import ALL_STEPS
from plinth import contracts, errors
from plinth.adapters.sagemaker_inferences import QUEUED_SECONDS, WORK_SECONDS
from plinth.chain.routing import MAX_ATTEMPTS
from plinth.runtime.state_visits import STATE
from tests.asl.states import MACHINES, Task, every_state, load, tasks

TASKS = [task for machine in MACHINES for task in tasks(machine)]
STEPS = {step.name: step for step in ALL_STEPS}
LAMBDA_FAULTS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
}
"""What Lambda itself reports; the last two are a function that died: killed, or out of memory."""
MAY_HAVE_RUN = LAMBDA_FAULTS - {"Lambda.TooManyRequestsException"}
PAYS = {"CallModel", "CheckAnswerable", "SummarizeTurns"}
"""Steps that may not be repeated where they may have run: each run of them may be billed."""
COUNTS = {"StartInference"}
"""Steps whose repeats the machine counts itself, together with those for other reasons."""
HEARS = {"PlaceDocument"}
"""Steps whose event may be lost, and that are repeated then."""
TRANSIENT = {error.__name__ for error in errors.TransientError.__subclasses__()} | LAMBDA_FAULTS
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type)} | LAMBDA_FAULTS
FAILED_STEP = re.compile(r"\{'step'.*'outcome'.*?\}")
EXPRESS_SECONDS = 290  # Express ends at 300 s; the rest is for the last step

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.machine}-{task.name}")
each_machine = pytest.mark.parametrize("machine", MACHINES)


def contract(task: Task, kind: str) -> Any:
    return getattr(contracts, f"{task.step}{kind}")


@each_task
def test_a_state_a_placeholder_a_folder_a_function_and_its_contracts_have_one_name(task: Task) -> None:
    assert task.name == task.step
    handler = importlib.import_module(f"functions.{task.folder}.handler")
    function = getattr(handler, task.folder)
    assert function.__annotations__["request"] is contract(task, "Input")
    assert function.__annotations__["return"] is contract(task, "Output")


@each_task
def test_a_payload_has_only_fields_that_the_step_knows_and_all_that_it_needs(task: Task) -> None:
    fields = dataclasses.fields(contract(task, "Input"))
    required = {field.name for field in fields if field.default is dataclasses.MISSING}

    assert required <= set(task.payload) - {STATE} <= {field.name for field in fields}


def test_each_step_of_a_run_is_told_which_visit_of_its_state_it_serves() -> None:
    assert {task.payload.get(STATE) for task in tasks("answer")} == {"{% $states.context.State %}"}


@each_task
def test_an_expression_reads_only_fields_that_the_step_returns(task: Task) -> None:
    returned = contract(task, "Callback" if task.waits else "Output")

    assert task.used_outputs <= {field.name for field in dataclasses.fields(returned)}


@each_task
def test_a_state_that_waits_for_a_token_hands_it_on_and_no_other_does(task: Task) -> None:
    assert ("$states.context.Task.Token" in str(task.payload)) == task.waits


def test_an_inference_is_waited_for_as_long_as_the_endpoint_may_queue_it_and_work_on_it() -> None:
    (task,) = tasks("infer")

    assert task.state["TimeoutSeconds"] > QUEUED_SECONDS + WORK_SECONDS
    assert load("infer")["TimeoutSeconds"] > 2 * task.state["TimeoutSeconds"]


@each_task
def test_a_function_times_out_before_its_state_and_its_state_before_the_machine(task: Task) -> None:
    machine_seconds = load(task.machine)["TimeoutSeconds"]

    assert STEPS[task.step].timeout_seconds < task.state["TimeoutSeconds"] < machine_seconds


@each_task
def test_every_transient_error_is_retried_with_backoff_and_jitter(task: Task) -> None:
    retried = {error for retrier in task.state["Retry"] for error in retrier["ErrorEquals"]}

    if task.name in HEARS:
        assert retried == TRANSIENT | {"States.Timeout"}
    elif task.name in COUNTS:
        assert retried == TRANSIENT - set(task.state["Catch"][0]["ErrorEquals"]) == {"Lambda.TooManyRequestsException"}
    else:
        assert retried == (TRANSIENT - MAY_HAVE_RUN if task.name in PAYS else TRANSIENT)
    for retrier in task.state["Retry"]:
        assert retrier["BackoffRate"] > 1
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["MaxDelaySeconds"] <= 30


@each_task
def test_every_error_name_of_a_state_exists(task: Task) -> None:
    named = {
        error
        for rule in (*task.state["Retry"], *task.state.get("Catch", []))
        for error in rule["ErrorEquals"]
        if not error.startswith("States.")
    }

    assert named <= ERRORS


@each_task
def test_a_failure_of_a_step_is_caught_unless_the_step_itself_writes_failures(task: Task) -> None:
    caught = {error for rule in task.state.get("Catch", []) for error in rule["ErrorEquals"]}
    writes_failures = task.step in {
        "FailRun",
        "RefuseDocument",
        "RemovePassages",
        "FailErasure",
        "FailExport",
        "CloseImport",
    }

    assert writes_failures or task.machine == "erase" or "States.ALL" in caught


@each_machine
def test_a_parallel_state_catches_what_its_branches_do_not(machine: str) -> None:
    for state in load(machine)["States"].values():
        if state["Type"] in ("Parallel", "Map"):
            assert any("States.ALL" in rule["ErrorEquals"] for rule in state["Catch"])


def test_every_failure_that_the_answer_machine_catches_is_logged_as_a_step() -> None:
    several = [load("answer")["States"][name] for name in ("GatherContext", "RunTools")]
    logged = [task.state for task in tasks("answer") if task.name != "SummarizeTurns"]  # it follows the log's end
    catchers = logged + several
    rules = [rule for state in catchers for rule in state.get("Catch", []) if rule["Next"] != "Superseded"]
    written = [rule.get("Assign", rule["Output"])["step" if "step" in rule["Output"] else "steps"] for rule in rules]

    assert len(rules) == len(catchers)  # FailRun has no one to tell, and CallModel fails in two ways
    assert len({FAILED_STEP.findall(text)[0] for text in written}) == 1


def test_a_call_whose_function_may_have_made_it_is_made_again_by_another_epoch_while_the_turn_has_calls() -> None:
    states = load("answer")["States"]
    rule = next(rule for rule in states["CallModel"]["Catch"] if rule["Next"] == "IsAskedAgain")

    assert set(rule["ErrorEquals"]) == MAY_HAVE_RUN
    assert rule["Assign"]["attempt"] == "{% $attempt + 1 %}"
    (again,) = states["IsAskedAgain"]["Choices"]
    assert again == {"Condition": f"{{% $attempt <= {MAX_ATTEMPTS} %}}", "Next": "SaveContinuation"}
    assert states["IsAskedAgain"]["Default"] == "FailRun"


def test_an_execution_fails_unless_its_caller_cancelled_the_run_or_asked_for_more_than_it_may_have() -> None:
    (own,) = load("answer")["States"]["IsCallersDoing"]["Choices"]

    reasons = re.findall(r"'(\w+)'", own["Condition"])
    spent = [errors.BudgetExceededError.code, errors.ToolTurnsSpentError.code]
    limits = [errors.ModelContextExceededError.reason, errors.ModelOutputSpentError.reason]
    assert reasons == [errors.ModelCancelledError.reason, *spent, *limits]


def test_the_express_machine_ends_within_its_wall() -> None:
    assert load("answer")["TimeoutSeconds"] <= EXPRESS_SECONDS


@each_machine
def test_a_machine_is_valid_amazon_states_language(machine: str, tmp_path: Path) -> None:
    definition = load(machine)
    for state in every_state(definition["States"]):
        if state["Type"] == "Wait":
            state["Seconds"] = 1  # statelint 3.1 knows no JSONata here, though AWS documents it
        if state["Type"] == "Map" and "ItemReader" in state:
            state |= {"MaxConcurrency": 1, "ToleratedFailurePercentage": 1, "ItemReader": {"Resource": "arn:x:y"}}
    text = msgspec.json.encode(definition).decode()
    for task in tasks(machine):
        text = text.replace(f"${{{task.step}Arn}}", f"arn:aws:lambda:us-east-1:000000000000:function:{task.folder}")
    path = tmp_path / f"{machine}.json"
    path.write_text(text)

    checked = subprocess.run(
        [Path(sys.executable).with_name("statelint"), path], capture_output=True, text=True, check=False
    )

    assert checked.stdout == ""
    assert checked.returncode == 0
