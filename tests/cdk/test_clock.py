"""What the clock calls is repeated as often as its stack says, and somebody is told when it fails."""

import re
from typing import Any

import pytest

from tests.cdk.assemblies import Assembly
from tests.cdk.conftest import Synthesized

REPEATED = {"SweepBudgets": 0, "SweepRuns": 0, "ExportUsage": 2, "SyncDocuments": 2}
PER_PERIOD = {"rate(1 minute)": 5}
"""How often a schedule calls within an alarm's five minutes, where that is more than once."""


def schedules(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """Return each rule of the clock, by the step that it calls."""
    rules = [each["Properties"] for each in assembly.resources("AWS::Events::Rule").values()]
    return {_step(rule["Targets"]): rule for rule in rules if "ScheduleExpression" in rule}


def _step(reference: object) -> str:
    (found,) = re.findall(r"(\w+)Function[0-9A-F]{8}", str(reference))
    return str(found)


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_a_call_of_the_clock_that_fails_is_repeated_only_as_often_as_its_stack_says(
    synthesized: Synthesized, environment: str
) -> None:
    assembly = synthesized(environment)
    invoked = [each["Properties"] for each in assembly.resources("AWS::Lambda::EventInvokeConfig").values()]
    by_lambda = {_step(e["FunctionName"]): e["MaximumRetryAttempts"] for e in invoked if "MaximumRetryAttempts" in e}
    rules = schedules(assembly)

    assert by_lambda == REPEATED
    assert {step: rule["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"] for step, rule in rules.items()} == REPEATED


def test_a_sweep_that_is_throttled_waits_no_longer_than_until_the_next(synthesized: Synthesized) -> None:
    assembly = synthesized("prod")
    invoked = [each["Properties"] for each in assembly.resources("AWS::Lambda::EventInvokeConfig").values()]
    by_lambda = {
        _step(e["FunctionName"]): e["MaximumEventAgeInSeconds"] for e in invoked if "MaximumEventAgeInSeconds" in e
    }
    by_rule = {
        step: policy["MaximumEventAgeInSeconds"]
        for step, rule in schedules(assembly).items()
        if "MaximumEventAgeInSeconds" in (policy := rule["Targets"][0]["RetryPolicy"])
    }

    assert by_lambda == by_rule == {"SweepBudgets": 60, "SweepRuns": 60}


def test_the_alarm_of_a_function_that_the_clock_calls_needs_no_more_errors_than_calls(synthesized: Synthesized) -> None:
    assembly = synthesized("prod")
    alarms = assembly.resources("AWS::CloudWatch::Alarm")

    for step, rule in schedules(assembly).items():
        (limit,) = [each["Properties"]["Threshold"] for name, each in alarms.items() if f"/{step}Errors" in name]
        assert limit <= PER_PERIOD.get(rule["ScheduleExpression"], 1), step
