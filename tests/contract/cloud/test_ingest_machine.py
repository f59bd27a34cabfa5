"""The ingest machine against functions that play its steps: another index added meanwhile, and contexts written."""

import json
from typing import Any

import pytest

from tests.contract.cloud.conftest import Cloud, unique
from tests.contract.cloud.played import created, definition

PLAYED = """
import boto3, json, os, time
def handler(event, context):
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    bucket = event["document"]["bucket"]
    try:
        told = json.loads(s3.get_object(Bucket=bucket, Key="told.json")["Body"].read())
    except s3.exceptions.NoSuchKey:
        told = []
    answers = {
        "ClaimDocument": {"current": True, "attempt": 1},
        "ReadDocument": {"characters": 1},
        "SplitDocument": {"passages": 2, "tokens": 7, "with_contexts": "windows" in event["document"]},
        "PlanContexts": {"windows": event["document"].get("windows"), "most_micro_usd": 1},
        "EmbedPassages": {"embedded": 2, "reused": 0, "in_context": 1, "tokens": 9},
        "IndexPassages": {"indexed": 2, "indexes": ["one"] if told.count("IndexPassages") == 0 else ["one", "two"]},
        "PublishDocument": {"published": event.get("indexes") == ["one", "two"], "corpus_version": 1},
    }
    name = STEP
    if name == "WriteContexts":
        assert abs(time.time() - event["started_at"]) < 600
        return window(event["window"], event["round"])
    told.append(name)
    s3.put_object(Bucket=bucket, Key="told.json", Body=json.dumps(told))
    answer = answers[name]
    if name == "ClaimDocument":
        s3.put_object(Bucket=bucket, Key="reread_for", Body=event["reread_for"].encode())
    if name == "PublishDocument" and "error" in event:
        s3.put_object(Bucket=bucket, Key="refused", Body=json.dumps(event))
        return {"result": {"reason": "", "refused": True}}
    if name == "PublishDocument":
        s3.put_object(Bucket=bucket, Key="published", Body=json.dumps(event))
        answer["moved"] = not answer["published"]
    return {"result": answer}

def window(number, round):
    if number == 1 and round < 2:
        return {"result": {"busy": True, "wait_seconds": 1, "cost_micro_usd": 0, "over_budget": False}}
    if number == 2:
        raise ValueError("lost")
    spent = number == 7
    return {"result": {"busy": False, "wait_seconds": 0, "cost_micro_usd": 5 + number, "over_budget": spent}}
"""
STEPS = ("ClaimDocument", "ReadDocument", "SplitDocument", "EmbedPassages", "IndexPassages", "PublishDocument")


CONTEXT_STEPS = ("PlanContexts", "WriteContexts")


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    made = unique("work")
    cloud.client("s3").create_bucket(Bucket=made)
    return made


@pytest.fixture
def machine(cloud: Cloud) -> str:
    steps = (*STEPS, *CONTEXT_STEPS)
    played = {name: name for name in steps} | dict.fromkeys(("RefuseDocument", "RemovePassages"), "PublishDocument")
    functions = {f"{name}Arn": cloud.function(PLAYED.replace("STEP", repr(part))) for name, part in played.items()}
    return created(cloud, definition("ingest", functions))


def ended(cloud: Cloud, machine: str, bucket: str, **document: object) -> None:
    """Start the machine for this document and wait for its end."""
    given = json.dumps({"document": {"document_id": "a", "bucket": bucket, **document}})
    started = cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=given)
    described = cloud.ended(started["executionArn"])
    assert described["status"] == "SUCCEEDED", described


def left(cloud: Cloud, bucket: str, key: str) -> Any:
    return json.loads(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


@pytest.mark.guarantee_d
@pytest.mark.parametrize(("windows", "cost"), [(0, 0), (1, 5), (3, 11)])
def test_contexts_are_written_window_by_window_busy_ones_again_and_lost_ones_not(
    cloud: Cloud, machine: str, bucket: str, windows: int, cost: int
) -> None:
    cloud.client("s3").put_object(Bucket=bucket, Key="told.json", Body=b'["IndexPassages"]')

    ended(cloud, machine, bucket, windows=windows)

    published = left(cloud, bucket, "published")
    assert (published["contexts_micro_usd"], published["in_context"], published["tokens"]) == (cost, 1, 9)
    told = left(cloud, bucket, "told.json")
    assert told[3:6] == ["SplitDocument", "PlanContexts", "EmbedPassages"]


def test_a_budget_that_is_too_small_for_a_window_refuses_the_document(cloud: Cloud, machine: str, bucket: str) -> None:
    ended(cloud, machine, bucket, windows=8)

    assert left(cloud, bucket, "refused")["error"] == "BudgetExceededError"
    assert "EmbedPassages" not in left(cloud, bucket, "told.json")


def test_a_version_whose_tenant_got_another_index_is_embedded_and_written_for_both(
    cloud: Cloud, machine: str, bucket: str
) -> None:
    for given, reread_for in (({}, ""), ({"reread_for": "two"}, "two")):
        cloud.client("s3").delete_object(Bucket=bucket, Key="told.json")
        document = {"document": {"document_id": "a", "bucket": bucket}, **given}
        started = cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(document))
        described = cloud.ended(started["executionArn"])

        assert described["status"] == "SUCCEEDED", described
        told = json.loads(cloud.client("s3").get_object(Bucket=bucket, Key="told.json")["Body"].read())
        assert told == [*STEPS, "EmbedPassages", "IndexPassages", "PublishDocument"]
        asked = cloud.client("s3").get_object(Bucket=bucket, Key="reread_for")["Body"].read().decode()
        assert asked == reread_for
