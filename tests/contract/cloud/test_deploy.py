"""That a cloud assembly is deployed to the embedded cloud as CDK would deploy it to AWS."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deploy import DeployError, deploy
from tests.contract.cloud.conftest import ROLE, SEARCH_ENDPOINT, Cloud, unique

WRONG = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Code": {"ZipFile": "pass"},
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Role": ROLE,
        "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:absent:1"],
    },
}


class Assembly:
    """A cloud assembly like the one that `cdk synth` writes: one stack, perhaps one asset folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stacks: dict[str, list[str]] = {}

    def asset(self, name: str, files: dict[str, str]) -> dict[str, Any]:
        for path, text in files.items():
            target = self.folder / f"asset.{name}" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return {
            "S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"},
            "S3Key": f"{name}.zip",
        }

    def stack(self, name: str, resources: dict[str, Any], **options: Any) -> str:
        """Write a stack with `Outputs` and `needs` (the stacks it depends on) among the options."""
        template = json.dumps({"Resources": resources, "Outputs": options.get("Outputs", {})})
        (self.folder / f"{name}.template.json").write_text(template)
        self.stacks[name] = options.get("needs", [])
        self._write(name, f"{abs(hash(template))}.json")
        return name

    def _write(self, name: str, key: str) -> None:
        bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"

        def file(path: str, packaging: str, object_key: str) -> dict[str, Any]:
            destinations = {"here": {"bucketName": bucket, "objectKey": object_key}}
            return {"source": {"path": path, "packaging": packaging}, "destinations": destinations}

        files = {key: file(f"{name}.template.json", "file", key)}
        for asset in self.folder.glob("asset.*"):
            files[asset.name] = file(asset.name, "zip", asset.suffix[1:] + ".zip")
        (self.folder / f"{name}.assets.json").write_text(json.dumps({"files": files}))
        manifest = self.folder / "manifest.json"
        artifacts = json.loads(manifest.read_text())["artifacts"] if manifest.exists() else {}
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "properties": {
                "templateFile": f"{name}.template.json",
                "stackTemplateAssetObjectUrl": f"s3://{bucket}/{key}",
            },
            "dependencies": [*self.stacks[name], f"{name}.assets"],
        }
        artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}}
        manifest.write_text(json.dumps({"artifacts": artifacts}))


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    return Assembly(tmp_path)


def table(**properties: Any) -> dict[str, Any]:
    keys = {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }
    return {"Type": "AWS::DynamoDB::Table", "Properties": {**keys, "BillingMode": "PAY_PER_REQUEST", **properties}}


def test_functions_and_layers_are_deployed_from_their_assets_and_outputs_are_returned(
    cloud: Cloud, assembly: Assembly
) -> None:
    code = assembly.asset(unique("code"), {"handler.py": "import words\ndef handler(e, c): return words.GREETING"})
    layer = assembly.asset(unique("layer"), {"python/words.py": "GREETING = 'hello'"})
    resources = {
        "Words": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": layer}},
        "Greet": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": code,
                "Handler": "handler.handler",
                "Runtime": "python3.13",
                "Role": ROLE,
                "Layers": [{"Ref": "Words"}],
            },
        },
    }
    stack = assembly.stack(unique("Stack"), resources, Outputs={"Name": {"Value": {"Ref": "Greet"}}})
    outputs = deploy(assembly.folder, cloud.endpoint)
    assert cloud.invoke(outputs[stack]["Name"]) == "hello"


def test_stacks_are_deployed_in_the_order_of_their_dependencies_and_only_when_they_changed(
    cloud: Cloud, assembly: Assembly
) -> None:
    app = unique("App")
    data = unique("Data")
    assembly.stack(app, {"Table": table()}, needs=[data])
    assembly.stack(data, {"Table": table()})
    heard: list[tuple[str, str]] = []

    def progress(stack: str, state: str) -> None:
        heard.append((stack, state))

    deploy(assembly.folder, cloud.endpoint, progress=progress)
    assert heard == [(data, "creating"), (data, "deployed"), (app, "creating"), (app, "deployed")]
    heard.clear()
    assembly.stack(app, {"Table": table(), "Second": table()}, needs=[data])
    deploy(assembly.folder, cloud.endpoint, progress=progress)
    assert heard == [(data, "unchanged"), (app, "updating"), (app, "deployed")]


def test_a_failed_stack_names_the_resource_and_its_reason_and_can_be_deployed_again_when_mended(
    cloud: Cloud, assembly: Assembly
) -> None:
    name = unique("Stack")
    assembly.stack(name, {"Wrong": WRONG})
    with pytest.raises(DeployError, match=rf"stack {name} failed: Wrong \(AWS::Lambda::Function\): .*layer"):
        deploy(assembly.folder, cloud.endpoint)
    assembly.stack(name, {"Table": table()})
    assert deploy(assembly.folder, cloud.endpoint) == {name: {}}


def test_a_failed_update_leaves_the_stack_as_it_was_and_can_be_mended(cloud: Cloud, assembly: Assembly) -> None:
    name = unique("Stack")
    outputs = {"Table": {"Value": {"Ref": "Table"}}}
    assembly.stack(name, {"Table": table()}, Outputs=outputs)
    before = deploy(assembly.folder, cloud.endpoint)
    assembly.stack(name, {"Table": table(), "Wrong": WRONG}, Outputs=outputs)
    with pytest.raises(DeployError, match=r"Wrong \(AWS::Lambda::Function\): .*layer"):
        deploy(assembly.folder, cloud.endpoint)
    assembly.stack(name, {"Table": table()}, Outputs=outputs)
    assert deploy(assembly.folder, cloud.endpoint) == before


def test_a_refused_template_is_reported_with_the_reason(cloud: Cloud, assembly: Assembly) -> None:
    name = assembly.stack(unique("Stack"), {"Wrong": {"Type": "AWS::Nothing::Known"}})
    with pytest.raises(DeployError, match=rf"stack {name} .*AWS::Nothing::Known"):
        deploy(assembly.folder, cloud.endpoint)


def test_an_endpoint_that_is_not_on_this_machine_is_refused(assembly: Assembly) -> None:
    with pytest.raises(DeployError, match="not a loopback address"):
        deploy(assembly.folder, "https://cloudformation.us-east-1.amazonaws.com")


def test_time_to_live_of_a_table_in_a_template_is_applied(cloud: Cloud, assembly: Assembly) -> None:
    expiring = table(TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True})
    stack = assembly.stack(unique("Stack"), {"Runs": expiring}, Outputs={"Name": {"Value": {"Ref": "Runs"}}})
    name = deploy(assembly.folder, cloud.endpoint)[stack]["Name"]
    described = cloud.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_a_search_domain_in_a_template_answers_at_the_search_engine_of_the_laptop(
    cloud: Cloud, assembly: Assembly
) -> None:
    domain = {"Type": "AWS::OpenSearchService::Domain", "Properties": {"EngineVersion": "OpenSearch_2.19"}}
    outputs = {"Endpoint": {"Value": {"Fn::GetAtt": ["Search", "DomainEndpoint"]}}}
    stack = assembly.stack(unique("Stack"), {"Search": domain}, Outputs=outputs)
    assert deploy(assembly.folder, cloud.endpoint)[stack]["Endpoint"] == SEARCH_ENDPOINT


def test_a_function_of_a_template_runs_no_more_often_at_once_than_is_reserved(cloud: Cloud, assembly: Assembly) -> None:
    slow = {
        **WRONG["Properties"],
        "Code": {"ZipFile": "import time\ndef handler(event, context):\n    time.sleep(1)"},
        "Layers": [],
        "Timeout": 10,
        "ReservedConcurrentExecutions": 1,
    }
    outputs = {"Name": {"Value": {"Ref": "Slow"}}}
    stack = assembly.stack(unique("Stack"), {"Slow": {**WRONG, "Properties": slow}}, Outputs=outputs)
    name = deploy(assembly.folder, cloud.endpoint)[stack]["Name"]

    with ThreadPoolExecutor(3) as pool:
        outcomes = [pool.submit(cloud.client("lambda").invoke, FunctionName=name) for _ in range(3)]
        errors = [outcome.exception() for outcome in outcomes]

    assert sorted(type(error).__name__ for error in errors) == [
        "NoneType",
        "TooManyRequestsException",
        "TooManyRequestsException",
    ]


def test_a_reference_to_a_secret_is_its_arn_and_stays_so(cloud: Cloud, assembly: Assembly) -> None:
    name, arns = unique("Stack"), []
    for described in ("one", "two"):
        secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Description": described}}
        assembly.stack(name, {"Key": secret}, Outputs={"Arn": {"Value": {"Ref": "Key"}}})
        arn = deploy(assembly.folder, cloud.endpoint)[name]["Arn"]
        arns.append(arn)
        found = cloud.client("secretsmanager").describe_secret(SecretId=arn)
        assert (found["ARN"], found["Description"]) == (arn, described)
    assert arns[0] == arns[1]
    assembly.stack(name, {"Table": table()})
    deploy(assembly.folder, cloud.endpoint)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.client("secretsmanager").describe_secret(SecretId=arns[0])
