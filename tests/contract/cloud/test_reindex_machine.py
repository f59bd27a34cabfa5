"""The reindex machine against functions that play its steps: rounds, waits, second readings, clean-up, ends."""

import json
from typing import Any

from tests.contract.cloud.conftest import Cloud, unique
from tests.contract.cloud.played import created, definition, ingest_machine

ADVANCE = """
import boto3, json, os
def handler(event, context):
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    bucket, script = event["reindex_id"].split("/")
    key = "advances.json"
    try:
        told = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        told = []
    told.append(event["round"])
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(told))
    nexts = script.split("-")
    answer = {"next": nexts[len(told) - 1], "round": len(told), "manifest": "list.json"}
    return {"result": {**answer, "at_once": 2, "wait_seconds": 1}}
"""
FILL = """
def handler(event, context):
    if event["document"]["document_id"] == "broken":
        raise ValueError("no")
    stale, awaited = event["document"]["document_id"] == "stale", not event["copied"]
    return {"result": {"copied": event["passages"], "stale": stale, "awaited": awaited}}
"""
REMOVE = """
import boto3, json, os
def handler(event, context):
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    document = event["document"]
    s3.put_object(Bucket=document["bucket"], Key="removed/" + document["document_id"], Body=b"")
    return {"result": {"removed": 1}}
"""


class Reindexing:
    """The machine with its functions played; the nested machine notes nothing and fails for a document called `bad`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.bucket = cloud, unique("work")
        cloud.client("s3").create_bucket(Bucket=self.bucket)
        self.ingest = ingest_machine(cloud)
        values = {
            "AdvanceReindexArn": cloud.function(ADVANCE),
            "FillDocumentArn": cloud.function(FILL),
            "RemovePassagesArn": cloud.function(REMOVE),
            "IngestMachineArn": self.ingest,
            "WorkBucket": self.bucket,
        }
        filled = definition("reindex", values)
        filled["States"]["FillDocuments"]["ItemProcessor"]["States"]["LetWritesShow"]["Seconds"] = 1
        self.machine = created(cloud, filled)

    def run(self, script: str, *documents: str, reread: bool = False) -> dict[str, Any]:
        filled = [
            {
                "document": {"document_id": name, "sequence": "1", "bucket": self.bucket},
                "passages": 2,
                "target": "passages-m9-1",
                "number": 1,
                "reread": reread,
            }
            for name in documents
        ]
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key="list.json", Body=json.dumps(filled))
        given = {"reindex_id": f"{self.bucket}/{script}", "reread": reread}
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.machine, input=json.dumps(given)
        )
        return self.cloud.ended(started["executionArn"])

    def rounds(self) -> list[int]:
        found = self.cloud.client("s3").get_object(Bucket=self.bucket, Key="advances.json")
        told: list[int] = json.loads(found["Body"].read())
        return told

    def removed(self) -> set[str]:
        found = self.cloud.client("s3").list_objects_v2(Bucket=self.bucket, Prefix="removed/")
        return {each["Key"].removeprefix("removed/") for each in found.get("Contents", [])}


def test_a_round_is_filled_and_told_of_then_it_waits_and_ends(cloud: Cloud) -> None:
    reindexing = Reindexing(cloud)

    described = reindexing.run("fill-wait-end", "a", "stale", "broken")

    assert described["status"] == "SUCCEEDED", described
    assert reindexing.rounds() == [0, 1, 2]
    assert reindexing.removed() == {"stale", "broken"}


def test_what_is_read_again_goes_through_the_ingest_machine_and_is_filled_whatever_became_of_it(cloud: Cloud) -> None:
    reindexing = Reindexing(cloud)

    described = reindexing.run("fill-end", "good", "bad", reread=True)

    assert described["status"] == "SUCCEEDED", described
    found = cloud.client("stepfunctions").list_executions(stateMachineArn=reindexing.ingest)["executions"]
    assert {(each["name"], each["status"]) for each in found} == {("good-1-r1", "SUCCEEDED"), ("bad-1-r1", "FAILED")}
    assert reindexing.removed() == set()


def test_a_round_that_gets_nowhere_stops_the_machine(cloud: Cloud) -> None:
    described = Reindexing(cloud).run("stuck")

    assert (described["status"], described["error"]) == ("FAILED", "ReindexStoppedError"), described
