"""Who may do what: one role per function, and nothing that its row does not say."""

import pytest

from cdk.step import Step
from cdk.steps import ALL_STEPS, ANSWER_STEPS, ERASE_STEPS, EXPORT_STEPS, FORGET_STEPS, INFER_STEPS, INGEST_STEPS
from tests.cdk.assemblies import as_list
from tests.cdk.conftest import Synthesized

WITHOUT_RESOURCE = {
    "sagemaker:CallWithBearerToken",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ecr:GetAuthorizationToken",
}
INFERRING = ("infer/StartInference", "infer/FinishInference")
MADE_BY_CDK = "console/CustomCDKBucketDeployment"


def test_every_row_is_a_function_and_every_function_a_row(synthesized: Synthesized) -> None:
    functions = [*synthesized("prod").resources("AWS::Lambda::Function"), *INFERRING]
    ours = {name.partition("/")[2].partition("Function")[0] for name in functions if not name.startswith(MADE_BY_CDK)}
    assert ours == {step.name for step in ALL_STEPS}


def test_functions_of_long_inferences_are_only_where_there_is_an_asynchronous_endpoint(
    synthesized: Synthesized,
) -> None:
    functions = [name for name in synthesized("local").resources("AWS::Lambda::Function") if name.startswith("infer/")]
    assert {name.partition("Function")[0] for name in functions} == set(INFERRING)


def test_functions_may_wake_the_machine_that_waits_for_them_and_no_other(synthesized: Synthesized) -> None:
    waking = [each for _, each in synthesized("local").statements() if "states:SendTaskSuccess" in str(each["Action"])]
    (imports,) = (each for each in waking if "ImportMachine" in str(each["Resource"]))
    (inferences,) = (each for each in waking if "InferMachine" in str(each["Resource"]))
    assert len(waking) == 2
    assert imports["Action"] in ("states:SendTaskSuccess", ["states:SendTaskSuccess"])
    assert set(inferences["Action"]) == {"states:SendTaskSuccess", "states:SendTaskFailure"}


def test_the_relay_is_a_function_only_where_the_edge_does_not_serve_it(synthesized: Synthesized) -> None:
    local, prod = (synthesized(each).resources("AWS::Lambda::Function") for each in ("local", "prod"))
    assert not [name for name in local if "Relay" in name]
    assert [name for name in prod if "Relay" in name]


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_no_two_functions_share_a_role(synthesized: Synthesized, environment: str) -> None:
    functions = synthesized(environment).resources("AWS::Lambda::Function")
    roles = [str(function["Properties"]["Role"]) for function in functions.values()]
    stacks = [name.partition("/")[0] for name in functions]
    assert len(set(zip(stacks, roles, strict=True))) == len(functions)


@pytest.mark.parametrize("environment", ["local", "sandbox", "dev", "staging", "prod"])
def test_no_policy_names_a_family_of_actions(synthesized: Synthesized, environment: str) -> None:
    for name, statement in synthesized(environment).statements():
        if not name.startswith(MADE_BY_CDK):
            assert not [action for action in as_list(statement["Action"]) if "*" in action], name


@pytest.mark.parametrize("environment", ["local", "sandbox", "dev", "staging", "prod"])
def test_only_actions_that_know_no_resource_are_allowed_on_everything(
    synthesized: Synthesized, environment: str
) -> None:
    for name, statement in synthesized(environment).statements():
        if "*" in as_list(statement["Resource"]) and not name.startswith(MADE_BY_CDK):
            assert set(as_list(statement["Action"])) <= WITHOUT_RESOURCE, name


def test_no_role_of_ours_has_a_managed_policy(synthesized: Synthesized) -> None:
    roles = synthesized("prod").resources("AWS::IAM::Role")
    managed = {name for name, role in roles.items() if role["Properties"].get("ManagedPolicyArns")}
    assert {name.partition("/")[2][:14] for name in managed} == {"RestCloudWatch", "CustomCDKBucke"}


def test_only_the_functions_that_call_models_can_read_the_api_key(synthesized: Synthesized) -> None:
    readers = {
        name for name, each in synthesized("prod").statements() if "secretsmanager:GetSecretValue" in each["Action"]
    }
    assert {name.partition("/")[2].partition("RoleDefaultPolicy")[0] for name in readers} == {
        "CallModel",
        "CheckAnswerable",
        "WriteContexts",
        "SummarizeTurns",
    }


def test_a_function_has_only_the_variables_of_what_it_touches(synthesized: Synthesized) -> None:
    functions = synthesized("local").resources("AWS::Lambda::Function")
    variables = {
        name.partition("/")[2].partition("Function")[0]: set(function["Properties"]["Environment"]["Variables"])
        for name, function in functions.items()
    }
    assert variables["SplitDocument"] == {"PLINTH_ENVIRONMENT", "PLINTH_WORK_BUCKET"}
    assert variables["ClaimRun"] == {"PLINTH_ENVIRONMENT", "PLINTH_RUNS_TABLE"}


@pytest.mark.guarantee_h
def test_the_function_that_reaches_outside_touches_only_runs_and_stands_in_no_network_of_ours(
    synthesized: Synthesized,
) -> None:
    functions = synthesized("prod").resources("AWS::Lambda::Function")
    (outer,) = (each["Properties"] for name, each in functions.items() if "RunExternalTool" in name)
    inner = next(each["Properties"] for name, each in functions.items() if "RunToolFunction" in name)
    assert set(outer["Environment"]["Variables"]) == {"PLINTH_ENVIRONMENT", "PLINTH_RUNS_TABLE"}
    assert "VpcConfig" not in outer
    assert "VpcConfig" in inner


def test_a_machine_can_call_its_own_functions_and_nothing_else(synthesized: Synthesized) -> None:
    rows = {
        "Answer": ANSWER_STEPS,
        "Ingest": INGEST_STEPS,
        "Erase": ERASE_STEPS,
        "Forget": FORGET_STEPS,
        "Export": EXPORT_STEPS,
        "Infer": INFER_STEPS,
    }
    names = {name: len(steps) for name, steps in rows.items()}
    for name, statement in synthesized("local").statements():
        machine = name.partition("/")[2].partition("RoleDefaultPolicy")[0]
        if machine in names and statement["Action"] == "lambda:InvokeFunction":
            assert len(as_list(statement["Resource"])) == names.pop(machine)
    assert not names


@pytest.mark.parametrize("step", ALL_STEPS, ids=lambda step: step.name)
def test_a_function_has_at_most_the_five_layers_that_lambda_takes(step: Step) -> None:
    assert len(step.layers) + (step.handler == "run.sh") <= 5
