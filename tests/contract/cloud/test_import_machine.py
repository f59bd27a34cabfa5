"""The import machine against functions that play its steps: manifest, pace, nested machine, failures, tolerance."""

import json
from typing import Any

from tests.contract.cloud.conftest import Cloud, unique
from tests.contract.cloud.played import created, definition, ingest_machine

PLACE = """
import boto3, json, os
class DocumentRefusedError(Exception): pass
def handler(event, context):
    name = event["file"]["name"]
    if name == "absent":
        raise DocumentRefusedError("not_uploaded: its bytes did not arrive")
    document = {"document_id": name, "sequence": "1"}
    output = {"placed": False} if name == "there" else {"placed": True, "document": document}
    steps = boto3.client("stepfunctions", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    if name != "silent":
        steps.send_task_success(taskToken=event["task_token"], output=json.dumps({"result": output}))
    return {"result": {"placed": output["placed"]}}
"""
NOTE = """
import boto3, json, os
def handler(event, context):
    table = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    key = f"noted/{event['file']['name']}"
    table.put_object(Bucket=event["batch"]["bucket"], Key=key, Body=json.dumps([event["error"], event["cause"]]))
    return {"result": {"failed": bool(event["error"])}}
"""
CLOSE = """
def handler(event, context):
    return {"result": {"batch": event["batch"]["import_id"], "error": event["error"]}}
"""


class Importing:
    """The machine with its functions played; the nested machine fails for a document called `bad`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.bucket = cloud, unique("work")
        cloud.client("s3").create_bucket(Bucket=self.bucket)
        values = {
            "PlaceDocumentArn": cloud.function(PLACE),
            "NoteOutcomeArn": cloud.function(NOTE),
            "CloseImportArn": cloud.function(CLOSE),
            "IngestMachineArn": ingest_machine(cloud),
            "WorkBucket": self.bucket,
        }
        filled = definition("import", values)
        place = filled["States"]["ImportFiles"]["ItemProcessor"]["States"]["PlaceDocument"]
        place["TimeoutSeconds"], place["Retry"][0]["MaxAttempts"] = 2, 1
        self.machine = created(cloud, filled)

    def run(self, *names: str, tolerated: int = 100) -> dict[str, Any]:
        key, manifest = "acme/imports/imp_1.json", [{"name": name, "sha256": "0"} for name in names]
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=json.dumps(manifest))
        given = {
            "batch": {"tenant": {"id": "acme"}, "import_id": "imp_1", "attempt": 1, "bucket": self.bucket},
            "manifest": key,
            "at_once": 2,
            "tolerated_failure_percentage": tolerated,
        }
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.machine, input=json.dumps(given)
        )
        return self.cloud.ended(started["executionArn"])

    def noted(self, name: str) -> list[str]:
        found = self.cloud.client("s3").get_object(Bucket=self.bucket, Key=f"noted/{name}")
        told: list[str] = json.loads(found["Body"].read())
        return told


def test_every_file_of_the_manifest_is_placed_ingested_and_noted_once(cloud: Cloud) -> None:
    importing = Importing(cloud)

    described = importing.run("a", "b", "c", "there")

    assert described["output"] == {"batch": "imp_1", "error": ""}, described
    assert [importing.noted(name) for name in ("a", "b", "c", "there")] == [["", ""]] * 4


def test_what_fails_is_noted_with_its_error_and_the_rest_goes_on(cloud: Cloud) -> None:
    importing = Importing(cloud)

    described = importing.run("a", "absent", "bad", "silent")

    assert described["output"] == {"batch": "imp_1", "error": ""}, described
    error, cause = importing.noted("absent")
    assert error == "DocumentRefusedError"
    assert "not_uploaded" in cause
    assert importing.noted("bad")[0] in ("IngestBrokeError", "States.TaskFailed")
    assert importing.noted("silent")[0] == "States.Timeout"
    assert importing.noted("a") == ["", ""]


def test_more_failures_than_are_tolerated_stop_the_import_under_their_name(cloud: Cloud) -> None:
    described = Importing(cloud).run("a", "absent", "bad", tolerated=50)

    assert described["output"] == {"batch": "imp_1", "error": "States.ExceedToleratedFailureThreshold"}, described
