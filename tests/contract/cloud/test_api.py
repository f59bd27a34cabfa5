"""That a REST API hands requests to a function and its answers back, as API Gateway does."""

import http.client
import json
from contextlib import closing
from typing import Any

import pytest

from tests.contract.cloud.conftest import Cloud, unique

ECHO = """
import json
def handler(event, context):
    names = ("httpMethod", "resource", "path", "pathParameters", "queryStringParameters", "body", "isBase64Encoded")
    seen = {name: event[name] for name in names}
    seen["headers"] = {name.lower(): value for name, value in event["headers"].items()}
    seen["stage"] = event["requestContext"]["stage"]
    if event["body"] == "fail":
        raise ValueError("no")
    return {"statusCode": 201, "headers": {"X-Answer": "yes"}, "body": json.dumps(seen)}
"""


def create_api(cloud: Cloud, function: str, paths: dict[str, str]) -> str:
    """Create a REST API whose paths ({path: method}) go to the function; return the path that it is reached at."""
    resources: dict[str, Any] = {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": unique("api")}}}
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri}

    def resource(path: str) -> Any:
        head, _, part = path.rpartition("/")
        if not part:
            return {"Fn::GetAtt": ["Api", "RootResourceId"]}
        name = "Path" + "".join(character for character in path if character.isalnum())
        properties = {"RestApiId": {"Ref": "Api"}, "ParentId": resource(head), "PathPart": part}
        resources[name] = {"Type": "AWS::ApiGateway::Resource", "Properties": properties}
        return {"Ref": name}

    for number, (path, method) in enumerate(paths.items()):
        properties = {"RestApiId": {"Ref": "Api"}, "ResourceId": resource(path), "HttpMethod": method}
        properties |= {"AuthorizationType": "NONE", "Integration": integration}
        resources[f"Method{number}"] = {"Type": "AWS::ApiGateway::Method", "Properties": properties}
    methods = [name for name in resources if name.startswith("Method")]
    deployment = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}}
    resources["Deployed"] = {**deployment, "DependsOn": methods}
    stage = {"RestApiId": {"Ref": "Api"}, "StageName": "live", "DeploymentId": {"Ref": "Deployed"}}
    resources["Stage"] = {"Type": "AWS::ApiGateway::Stage", "Properties": stage}
    body = json.dumps({"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}})
    formation, stack = cloud.client("cloudformation"), unique("Api")
    formation.create_stack(StackName=stack, TemplateBody=body)
    formation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.1})
    api = formation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
    return f"/_aws/execute-api/{api}/live"


def call(cloud: Cloud, method: str, path: str, **options: Any) -> tuple[int, Any, http.client.HTTPMessage]:
    """Return the status, the body parsed as JSON and the headers."""
    with closing(http.client.HTTPConnection(cloud.endpoint.removeprefix("http://"), timeout=60)) as connection:
        connection.request(method, path, **options)
        response = connection.getresponse()
        return response.status, json.loads(response.read()), response.headers


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> str:
    return create_api(
        cloud, cloud.function(ECHO), {"/v1/runs": "POST", "/v1/documents/{name+}": "ANY", "/one/{id}": "GET"}
    )


def test_method_path_query_headers_and_body_reach_the_function_and_its_answer_returns(cloud: Cloud, api: str) -> None:
    headers = {"Authorization": "Bearer pl_key", "Idempotency-Key": "k1", "Content-Type": "application/json"}
    status, seen, answered = call(
        cloud, "POST", f"{api}/v1/runs?wait=true&x=a%20b", body='{"a": "\u00e9"}'.encode(), headers=headers
    )
    assert (status, answered["X-Answer"]) == (201, "yes")
    assert (seen["httpMethod"], seen["path"], seen["stage"]) == ("POST", "/v1/runs", "live")
    assert seen["queryStringParameters"] == {"wait": "true", "x": "a b"}
    assert (seen["body"], seen["isBase64Encoded"]) == ('{"a": "\u00e9"}', False)
    assert seen["headers"]["authorization"] == "Bearer pl_key"
    assert seen["headers"]["idempotency-key"] == "k1"


def test_path_parameters_are_matched_singly_and_greedily(cloud: Cloud, api: str) -> None:
    _, one, _ = call(cloud, "GET", f"{api}/one/42")
    _, many, _ = call(cloud, "DELETE", f"{api}/v1/documents/a/b%20c.pdf")
    assert (one["resource"], one["pathParameters"]) == ("/one/{id}", {"id": "42"})
    assert many["pathParameters"] == {"name": "a/b%20c.pdf"} or many["pathParameters"] == {"name": "a/b c.pdf"}


def test_an_unknown_path_is_refused_without_the_function(cloud: Cloud, api: str) -> None:
    assert call(cloud, "GET", f"{api}/nothing")[0] == 403
    assert call(cloud, "DELETE", f"{api}/v1/runs")[0] == 403


def test_a_function_that_raises_is_a_bad_gateway(cloud: Cloud, api: str) -> None:
    status, body, _ = call(cloud, "POST", f"{api}/v1/runs", body=b"fail")
    assert (status, body) == (502, {"message": "Internal server error"})
