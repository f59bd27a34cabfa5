"""Time limits nest: a call < its function < its state < its machine < the end of the run, whatever hangs."""

import inspect
import math
from pathlib import Path

import pytest
from botocore.config import Config

from cdk.step import Step, Touch
from cdk.steps import ALL_STEPS, ANSWER_STEPS
from plinth.adapters.aws_calls import BRIEF_CALLS, CALLS, S3_CALLS
from plinth.adapters.child_process_parser import ChildProcessParser
from plinth.adapters.model_deadline import LOOK_SECONDS
from plinth.adapters.opensearch_client import connect
from plinth.adapters.parsers.confinement import CPU_SECONDS
from plinth.adapters.sagemaker_embedder import EMBEDDING_CALLS
from plinth.adapters.sagemaker_inferences import QUEUE_CALLS
from plinth.adapters.sagemaker_model import patient_for
from plinth.adapters.sagemaker_reranker import RERANK_CALLS
from plinth.api.waiting import MAX_WAIT_SECONDS
from plinth.chain.catalogue import catalogue
from plinth.chain.context_prices import TRIES
from plinth.chain.executions import (
    ABANDONED_SECONDS,
    CALL_SECONDS,
    ENDING_SECONDS,
    EXECUTION_SECONDS,
    lease_until,
    on_execution,
)
from plinth.contracts.runs import Run
from plinth.contracts.tenant import Tenant
from plinth.runtime.answerability import CHECK_SECONDS
from plinth.runtime.contexts import CALL_SECONDS as WINDOW_CALL_SECONDS
from plinth.runtime.summaries import SUMMARY_SECONDS
from plinth.tools.toolbox import TOOLS
from tests.asl.deadlines import boto3_clients, sources, worst_search_seconds, worst_seconds
from tests.asl.states import load

CONFIGS: dict[str, Config] = {
    "CALLS": CALLS,
    "BRIEF_CALLS": BRIEF_CALLS,
    "S3_CALLS": S3_CALLS,
    "EMBEDDING_CALLS": EMBEDDING_CALLS,
    "QUEUE_CALLS": QUEUE_CALLS,
    "RERANK_CALLS": RERANK_CALLS,
    "patient_for(seconds)": patient_for(math.ceil(CALL_SECONDS)),
}
STEPS = {step.name: step for step in ALL_STEPS}


def shortest(*touches: Touch) -> int:
    """Return the shortest time limit of the functions that touch any of these."""
    return min(step.timeout_seconds for step in ALL_STEPS if set(touches) & set(step.touches))


@pytest.mark.parametrize("path", sources(), ids=str)
def test_every_client_of_an_aws_service_has_time_limits_that_are_known_here(path: Path) -> None:
    assert set(boto3_clients(path.read_text())) <= set(CONFIGS)


@pytest.mark.parametrize(
    ("source", "config"),
    [
        ('boto3.client("s3")', None),
        ('boto3.resource("s3", config=LAZY)', "LAZY"),
        ('client = lambda: boto3.client("sqs", config=Config(read_timeout=60))', "Config(read_timeout=60)"),
    ],
)
def test_a_client_without_known_time_limits_is_found(source: str, config: str | None) -> None:
    assert not set(boto3_clients(source)) <= set(CONFIGS)
    assert list(boto3_clients(source)) == [config]


def test_the_worst_case_of_a_call_counts_attempts_and_pauses() -> None:
    assert worst_seconds(Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})) == 7
    assert worst_seconds(Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3})) == 24
    assert worst_search_seconds(connect("http://127.0.0.1:1", auth="none")) == 28


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda step: step.name)
def test_a_call_to_a_store_that_hangs_fails_with_a_name_before_the_function_is_ended(step: Step) -> None:
    for config in (CALLS, BRIEF_CALLS, S3_CALLS):
        assert worst_seconds(config) < step.timeout_seconds


def test_a_call_to_an_engine_that_hangs_fails_with_a_name_before_the_function_is_ended() -> None:
    search = worst_search_seconds(connect("http://127.0.0.1:1", auth="none"))

    assert search < shortest(Touch.SEARCH_PASSAGES, Touch.WRITE_PASSAGES)
    assert worst_seconds(EMBEDDING_CALLS) < shortest(Touch.EMBED_TEXTS)
    assert worst_seconds(RERANK_CALLS) < shortest(Touch.RANK_PASSAGES)
    assert worst_seconds(QUEUE_CALLS) < shortest(Touch.QUEUE_INFERENCES)


def test_a_model_that_hangs_is_given_up_before_its_function_is_ended() -> None:
    function = STEPS["CallModel"].timeout_seconds

    assert CALL_SECONDS + worst_seconds(CALLS) < function
    assert worst_seconds(patient_for(math.ceil(CALL_SECONDS))) < function
    for model in catalogue().models.values():
        assert LOOK_SECONDS < min(model.first_seconds, model.stall_seconds) <= CALL_SECONDS, model.id
        assert max(model.first_seconds, model.stall_seconds) <= CALL_SECONDS, model.id


def test_a_check_a_window_of_contexts_or_a_summary_that_hangs_is_given_up_before_its_function_is_ended() -> None:
    assert CHECK_SECONDS + worst_seconds(CALLS) < STEPS["CheckAnswerable"].timeout_seconds
    assert TRIES * WINDOW_CALL_SECONDS + worst_seconds(CALLS) < STEPS["WriteContexts"].timeout_seconds
    assert SUMMARY_SECONDS + worst_seconds(CALLS) < STEPS["SummarizeTurns"].timeout_seconds


def test_a_reader_that_hangs_is_ended_before_its_function() -> None:
    child = inspect.signature(ChildProcessParser).parameters["timeout_seconds"].default

    assert child > CPU_SECONDS
    assert child + worst_seconds(S3_CALLS) < STEPS["ReadDocument"].timeout_seconds


def test_a_tool_that_hangs_is_given_up_before_its_function_is_ended() -> None:
    for tool in TOOLS.values():
        assert tool.timeout_seconds + worst_seconds(CALLS) < STEPS["RunTool"].timeout_seconds, tool.name


def test_an_execution_has_time_for_a_call_and_what_follows_and_ends_before_its_machine_does() -> None:
    machine = load("answer")["TimeoutSeconds"]

    assert CALL_SECONDS + ENDING_SECONDS < EXECUTION_SECONDS < machine < EXECUTION_SECONDS + ABANDONED_SECONDS


def test_no_lease_is_over_while_a_step_works_and_none_outlasts_the_sweep_of_its_run() -> None:
    run = Run(id="run_1", tenant=Tenant(id="acme"), epoch=1, deadline=2000.0)
    execution = on_execution(run, started_at=0.0)

    steps = (step.timeout_seconds for step in ANSWER_STEPS if step.name != "CallModel")
    assert max(steps) < lease_until(execution, now=0.0)
    latest = lease_until(execution, now=EXECUTION_SECONDS)
    assert load("answer")["TimeoutSeconds"] < latest < EXECUTION_SECONDS + ABANDONED_SECONDS


def test_an_answer_is_waited_for_less_than_a_function_may_take() -> None:
    assert STEPS["Api"].timeout_seconds > MAX_WAIT_SECONDS
