"""The ingest machine against functions that play its steps: the way back when an index was added meanwhile."""

import json

from tests.contract.cloud.conftest import Cloud, unique
from tests.contract.cloud.played import created, definition

PLAYED = """
import boto3, json, os
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
        "SplitDocument": {"passages": 2, "tokens": 7},
        "EmbedPassages": {"embedded": 2, "reused": 0},
        "IndexPassages": {"indexed": 2, "indexes": ["one"] if told.count("IndexPassages") == 0 else ["one", "two"]},
        "PublishDocument": {"published": event.get("indexes") == ["one", "two"], "corpus_version": 1},
    }
    name = STEP
    told.append(name)
    s3.put_object(Bucket=bucket, Key="told.json", Body=json.dumps(told))
    answer = answers[name]
    if name == "ClaimDocument":
        s3.put_object(Bucket=bucket, Key="reread_for", Body=event["reread_for"].encode())
    if name == "PublishDocument":
        answer["moved"] = not answer["published"]
    return {"result": answer}
"""
STEPS = ("ClaimDocument", "ReadDocument", "SplitDocument", "EmbedPassages", "IndexPassages", "PublishDocument")


def test_a_version_whose_tenant_got_another_index_is_embedded_and_written_for_both(cloud: Cloud) -> None:
    bucket = unique("work")
    cloud.client("s3").create_bucket(Bucket=bucket)
    played = {name: name for name in STEPS} | dict.fromkeys(("RefuseDocument", "RemovePassages"), "PublishDocument")
    functions = {f"{name}Arn": cloud.function(PLAYED.replace("STEP", repr(part))) for name, part in played.items()}
    machine = created(cloud, definition("ingest", functions))

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
