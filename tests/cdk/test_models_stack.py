"""How models are reached: by keys, or by the function's own role."""

from dataclasses import replace

from aws_cdk import App

from cdk.environments import DEV
from cdk.stacks.models import ModelsStack
from cdk.step import Touch


def test_an_environment_with_a_workspace_has_no_key_of_anthropic_and_may_use_that_workspace_alone() -> None:
    environment = replace(DEV, anthropic_workspace="wrkspc_1")

    anthropic, *_ = ModelsStack(App(), "Models", environment=environment).permissions[Touch.CALL_MODELS]

    assert anthropic.actions == ("aws-external-anthropic:CreateInference",)
    assert [arn.rpartition(":")[2] for arn in anthropic.resources] == ["workspace/wrkspc_1"]
    assert anthropic.variables == {"PLINTH_ANTHROPIC_ACCESS": "aws", "PLINTH_ANTHROPIC_WORKSPACE": "wrkspc_1"}


def test_only_the_bearer_token_of_an_endpoint_knows_no_resource() -> None:
    permissions = ModelsStack(App(), "Models", environment=replace(DEV, model_endpoint="e")).permissions

    everywhere = [each.actions for each in permissions[Touch.CALL_MODELS] if "*" in each.resources]

    assert everywhere == [("sagemaker:CallWithBearerToken",)]
