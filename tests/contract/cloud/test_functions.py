"""What a Lambda function sees, reports and keeps in the embedded cloud."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.cloud.conftest import Cloud

RAISES = """
class TransientModelError(Exception):
    pass
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event.get("fail"):
        raise TransientModelError("the model is busy")
    return {"calls": calls}
"""


def test_an_exception_is_reported_by_its_class_name_with_message_and_trace(cloud: Cloud) -> None:
    payload = cloud.invoke(cloud.function(RAISES), {"fail": True})
    assert payload["errorType"] == "TransientModelError"
    assert payload["errorMessage"] == "the model is busy"
    assert len(payload["stackTrace"]) == 1
    assert 'raise TransientModelError("the model is busy")' in payload["stackTrace"][0]


def test_an_environment_outlives_the_exception_of_its_handler(cloud: Cloud) -> None:
    function = cloud.function(RAISES)
    cloud.invoke(function, {"fail": True})
    assert cloud.invoke(function, {}) == {"calls": 2}


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import nowhere\ndef handler(e, c): pass", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("def other(e, c): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing"),
        ("def handler(e, c: return", "Runtime.UserCodeSyntaxError", "Syntax error in module 'handler'"),
        ("def handler(e, c): return {1, 2}", "Runtime.MarshalError", "not JSON serializable"),
        ("import os\ndef handler(e, c): os._exit(3)", "Runtime.ExitError", "exit status 3"),
        ("import sys\ndef handler(e, c): sys.exit(4)", "Runtime.ExitError", "exit status 4"),
        ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: 9"),
    ],
)
def test_a_broken_function_fails_with_the_error_type_that_aws_names(
    cloud: Cloud, source: str, error_type: str, message: str
) -> None:
    payload = cloud.invoke(cloud.function(source), {})
    assert payload["errorType"] == error_type
    assert message in payload["errorMessage"]


def test_a_function_that_overruns_is_ended_and_answers_again_afterwards(cloud: Cloud) -> None:
    source = (
        "import time\ndef handler(event, context): time.sleep(event); return context.get_remaining_time_in_millis()"
    )
    function = cloud.function(source, Timeout=1)
    assert cloud.invoke(function, 5)["errorType"] == "Sandbox.Timedout"
    assert 0 < cloud.invoke(function, 0) <= 1000


def test_a_function_finds_its_layers_by_import_and_by_path_the_last_layer_first(cloud: Cloud) -> None:
    first = cloud.layer({"python/shared.py": "name = 'first'", "python/lower.py": "", "models/minilm/model.onnx": "1"})
    last = cloud.layer({"python/shared.py": "name = 'last'"})
    source = """
import os, pathlib, shared, lower
def handler(event, context):
    roots = [pathlib.Path(root) for root in os.environ["PLINTH_OPT"].split(os.pathsep)]
    return shared.name, [str(p.relative_to(r)) for r in roots for p in r.rglob("*.onnx")], shared.__cached__
"""
    name, models, cached = cloud.invoke(cloud.function(source, Layers=[first, last]))
    assert (name, models) == ("last", ["models/minilm/model.onnx"])
    assert cached.endswith(".pyc")


def test_a_layer_is_unpacked_once_for_all_environments_of_all_functions(cloud: Cloud) -> None:
    layer = cloud.layer({"python/once.py": "", "python/salt.py": "value = 'test_a_layer_is_unpacked_once'"})
    source = "import once\ndef handler(event, context): return once.__file__"
    files = {cloud.invoke(cloud.function(source, Layers=[layer])) for _ in range(3)}
    assert len(files) == 1


def test_a_function_sees_boto3_and_its_layers_but_nothing_of_the_checkout_or_its_packages(cloud: Cloud) -> None:
    layer = cloud.layer({"python/plinth/__init__.py": "where = 'the layer'"})
    source = """
import importlib.util, boto3, plinth
names = ("functions", "cdk", "local", "client", "tests", "aws_cdk", "pytest", "numpy", "ministack", "hypercorn")
def handler(event, context):
    return plinth.where, [name for name in names if importlib.util.find_spec(name)]
"""
    assert cloud.invoke(cloud.function(source, Layers=[layer])) == ["the layer", []]


def test_a_function_gets_its_variables_and_the_launchers_and_none_of_the_hosts(
    cloud: Cloud,
) -> None:
    source = "import os\ndef handler(event, context): return dict(os.environ)"
    own = {"Variables": {"TABLE": "runs", "PLINTH_GIVEN": "by the template", "AWS_REGION": "ignored"}}
    seen = cloud.invoke(cloud.function(source, Environment=own, MemorySize=256))
    assert seen["TABLE"] == "runs"
    assert seen["PLINTH_GIVEN"] == "by the launcher"
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert not {"HOME", "STATE_DIR", "GATEWAY_PORT", "PLINTH_PARENT_PID"} & set(seen)


def test_a_function_can_call_the_cloud_and_what_it_prints_goes_to_its_log(cloud: Cloud) -> None:
    source = """
import boto3, os, sys
def handler(event, context):
    print("printed", context.aws_request_id)
    os.write(1, b"written\\n")
    return len(boto3.client("sts").get_caller_identity()["Account"])
"""
    function = cloud.function(source)
    assert cloud.invoke(function) == 12
    group = f"/aws/lambda/{function.rpartition(':')[2]}"
    events = cloud.client("logs").filter_log_events(logGroupName=group)["events"]
    messages = [event["message"].strip() for event in events]
    assert "written" in messages
    assert any(message.startswith("printed ") for message in messages)


SLOW_START = """
import os, time
time.sleep(0.5)
def handler(event, context):
    time.sleep(event)
    return os.getpid()
"""


CORES = os.cpu_count() or 1


@pytest.mark.parametrize(("seconds", "most"), [(0, 3 * CORES), (3, 6 * CORES)])
def test_calls_wait_for_an_environment_that_gets_free_while_others_start_and_never_for_one_that_works(
    cloud: Cloud, seconds: int, most: int
) -> None:
    function = cloud.function(SLOW_START, Timeout=60)
    with ThreadPoolExecutor(6 * CORES) as pool:
        called = [pool.submit(cloud.invoke, function, seconds) for _ in range(6 * CORES)]
    environments = {each.result() for each in called}
    assert all(isinstance(each, int) for each in environments)
    assert len(environments) <= most
