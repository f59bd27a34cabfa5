"""Self-hosted models cost nothing while nobody asks, start again by themselves, and leave nothing behind."""

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from cdk.constructs.network import Network
from cdk.containers import LLAMA_CPP, TEI, VLLM
from cdk.environments import ON_VLLM, PROD, EmbeddingEndpoint
from tests.cdk.assemblies import Assembly
from tests.cdk.conftest import Synthesized
from tests.cdk.test_cfn_lint import linted

WAKING = {"NoCapacityInvocationFailures", "HasBacklogWithoutCapacity"}


def properties(assembly: Assembly, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in assembly.resources(kind).values()]


def embedding(assembly: Assembly, kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for name, each in assembly.resources(kind).items() if "Embedding" in name]


def test_every_finding_of_cdk_nag_has_a_reason(everything: Assembly) -> None:
    assert everything.findings == []


def test_its_templates_are_valid_cloudformation(everything: Assembly) -> None:
    assert linted(everything) == (0, "")


def test_every_endpoint_but_the_embedding_one_can_go_to_zero(everything: Assembly) -> None:
    targets = properties(everything, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert sorted(each["ScalableDimension"] for each in targets) == [
        "sagemaker:inference-component:DesiredCopyCount",
        "sagemaker:variant:DesiredInstanceCount",
    ]
    assert {each["MinCapacity"] for each in targets} == {0}
    endpoints = properties(everything, "AWS::SageMaker::EndpointConfig")
    assert len(endpoints) == len(targets) + 1
    scaled = [v["ManagedInstanceScaling"] for e in endpoints for v in e["ProductionVariants"] if "ModelName" not in v]
    assert [each["MinInstanceCount"] for each in scaled] == [0]


def test_whatever_goes_to_zero_has_a_rule_that_wakes_it(everything: Assembly) -> None:
    policies = everything.resources("AWS::ApplicationAutoScaling::ScalingPolicy")
    steps = {
        name.partition("/")[2]: each["Properties"]
        for name, each in policies.items()
        if each["Properties"]["PolicyType"] == "StepScaling"
    }
    woken = {str(each["ScalingTargetId"]) for each in steps.values()}
    assert len(woken) == len(everything.resources("AWS::ApplicationAutoScaling::ScalableTarget"))
    alarms = [each for each in properties(everything, "AWS::CloudWatch::Alarm") if each["MetricName"] in WAKING]
    assert {each["MetricName"] for each in alarms} == WAKING
    for alarm in alarms:
        (action,) = alarm["AlarmActions"]
        assert action["Ref"] in steps
        assert (alarm["Namespace"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("AWS/SageMaker", 1, 1)


def test_a_target_is_registered_only_after_what_it_scales(everything: Assembly) -> None:
    for name, target in everything.resources("AWS::ApplicationAutoScaling::ScalableTarget").items():
        assert target.get("DependsOn") or "EndpointName" in str(target["Properties"]["ResourceId"]), name


def test_an_asynchronous_endpoint_puts_and_tells_every_end(everything: Assembly) -> None:
    (configured,) = (
        each["AsyncInferenceConfig"]
        for each in properties(everything, "AWS::SageMaker::EndpointConfig")
        if "AsyncInferenceConfig" in each
    )
    output = configured["OutputConfig"]
    assert set(output["NotificationConfig"]) == {"SuccessTopic", "ErrorTopic"}
    assert {"S3OutputPath", "S3FailurePath"} <= set(output)
    assert configured["ClientConfig"]["MaxConcurrentInvocationsPerInstance"] == ON_VLLM.requests_at_once
    subscribed = {str(each["TopicArn"]) for each in properties(everything, "AWS::SNS::Subscription")}
    assert subscribed == {str(topic) for topic in output["NotificationConfig"].values()}


def test_a_message_about_an_inference_that_nobody_took_is_kept(everything: Assembly) -> None:
    kept = [each for each in properties(everything, "AWS::Lambda::EventInvokeConfig") if "DestinationConfig" in each]
    (invoked,) = kept
    lost = invoked["DestinationConfig"]["OnFailure"]["Destination"]

    assert "LostNotices" in str(lost)
    for subscription in properties(everything, "AWS::SNS::Subscription"):
        assert subscription["RedrivePolicy"]["deadLetterTargetArn"] == lost


def test_nothing_of_an_endpoint_outlives_its_stack(everything: Assembly) -> None:
    for stack in ("models", "infer"):
        for name, resource in everything.templates[stack]["Resources"].items():
            kept = resource.get("DeletionPolicy") == "Retain" and resource["Type"] != "AWS::Lambda::Version"
            assert not kept, name


def test_a_container_gets_its_settings_in_its_own_way(everything: Assembly) -> None:
    (component,) = properties(everything, "AWS::SageMaker::InferenceComponent")
    llama = component["Specification"]["Container"]["Environment"]
    models = {each["PrimaryContainer"]["Image"]: each for each in properties(everything, "AWS::SageMaker::Model")}
    vllm = models[VLLM.image.format(region="us-east-1")]["PrimaryContainer"]["Environment"]
    tei = models[TEI.image.format(region="us-east-1")]["PrimaryContainer"]["Environment"]

    assert component["Specification"]["Container"]["Image"] == LLAMA_CPP.image.format(region="us-east-1")
    assert {name.rpartition("_LLAMA_CPP_")[0] for name in llama} == {"SM"}
    assert {name.rpartition("_VLLM_")[0] for name in vllm} == {"SM"}
    assert llama["SM_LLAMA_CPP_ALIAS"] == vllm["SM_VLLM_SERVED_MODEL_NAME"] == "plinth-gpu"
    assert tei == {"HF_MODEL_ID": EmbeddingEndpoint().model}


def test_gpu_containers_run_on_a_machine_image_with_a_driver_for_their_cuda(everything: Assembly) -> None:
    variants = [
        variant
        for each in properties(everything, "AWS::SageMaker::EndpointConfig")
        for variant in each["ProductionVariants"]
    ]
    assert {v.get("InferenceAmiVersion") for v in variants if v["InstanceType"].startswith("ml.g")} == {
        "al2-ami-sagemaker-inference-gpu-3-1"
    }


def test_an_embedding_endpoint_always_runs_because_a_question_waits_for_no_start(everything: Assembly) -> None:
    (configured,) = embedding(everything, "AWS::SageMaker::EndpointConfig")
    (variant,) = configured["ProductionVariants"]
    assert variant["InitialInstanceCount"] >= 1
    assert not embedding(everything, "AWS::ApplicationAutoScaling::ScalableTarget")


def test_an_embedding_model_has_an_index_of_its_own(everything: Assembly) -> None:
    variables = {
        name.partition("/")[2].partition("Function")[0]: each["Properties"]["Environment"]["Variables"]
        for name, each in everything.resources("AWS::Lambda::Function").items()
        if "Environment" in each["Properties"]
    }
    searching = ("RetrieveContext", "IndexPassages", "PublishDocument", "RemovePassages", "ErasePassages")
    assert {variables[name]["PLINTH_SEARCH_INDEX"] for name in searching} == {"passages-baai-bge-small-en-v1.5"}
    for name in ("RetrieveContext", "EmbedPassages"):
        assert variables[name]["PLINTH_EMBEDDING_MODEL"] == EmbeddingEndpoint().model


@pytest.mark.parametrize(
    "wanted",
    [
        {"embedding": EmbeddingEndpoint()},
        {"earlier_embeddings": (EmbeddingEndpoint(),)},
        {"rerank_endpoint": "reranker", "retrieval": {"rerank": True}},
    ],
    ids=lambda wanted: next(iter(wanted)),
)
def test_searching_functions_reach_every_endpoint_that_they_ask_from_their_network(wanted: dict[str, Any]) -> None:
    stack = Stack()
    Network(stack, "Network", environment=replace(PROD, **wanted))

    endpoints = Template.from_stack(stack).find_resources("AWS::EC2::VPCEndpoint").values()
    runtime = [e["Properties"] for e in endpoints if "sagemaker.runtime" in str(e["Properties"]["ServiceName"])]
    assert [(e["VpcEndpointType"], e["PrivateDnsEnabled"]) for e in runtime] == [("Interface", True)]


@pytest.mark.parametrize("environment", ["sandbox", "dev", "staging", "prod"])
def test_what_is_billed_while_nobody_asks_is_off_unless_it_is_asked_for(
    synthesized: Synthesized, environment: str
) -> None:
    assembly = synthesized(environment)
    assert not assembly.resources("AWS::SageMaker::Model")
    assert "infer" not in assembly.templates
