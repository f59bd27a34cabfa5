"""What the deployed functions ask of DynamoDB: a proxy on loopback between them and the embedded cloud counts units.

Each function is told of a path of its own, so that every unit is known by function, table and operation.
"""

import http.client
import importlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

Units = defaultdict[tuple[str, str, str], float]
"""Capacity units by function, operation and table."""

_VARIABLE = "AWS_ENDPOINT_URL_DYNAMODB"
_COUNTED = frozenset(
    [
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "TransactGetItems",
    ]
)


class Recorder(ThreadingHTTPServer):
    """Passes requests on to `cloud_url` and adds up what they consume in `units`."""

    daemon_threads = True

    def __init__(self, cloud_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.units: Units = defaultdict(float)
        self.cloud = urlsplit(cloud_url).netloc
        self._lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where a function died or the network failed: what asked is told by a connection that ends."""

    def count(self, function: str, operation: str, answer: dict[str, Any]) -> None:
        """Add what one answer says that it consumed."""
        consumed: list[dict[str, Any]] | dict[str, Any] = answer.get("ConsumedCapacity") or []
        with self._lock:
            for each in [consumed] if isinstance(consumed, dict) else consumed:
                table = str(each["TableName"]).rpartition("/")[2]
                self.units[function, operation, table] += each["CapacityUnits"]


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Pass one request of the DynamoDB protocol on, and its answer back."""
        recorder = cast(Recorder, self.server)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        operation = self.headers["x-amz-target"].rpartition(".")[2]
        if operation in _COUNTED:
            body["ReturnConsumedCapacity"] = "TOTAL"
        connection = http.client.HTTPConnection(recorder.cloud, timeout=30)
        kept = {key: value for key, value in self.headers.items() if key.lower() not in ("content-length", "host")}
        connection.request("POST", "/", body=json.dumps(body), headers=kept)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status == http.client.OK:
            recorder.count(self.path.strip("/"), operation, json.loads(content))
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                self.send_header(key, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""


def local_client(service: str, cloud_url: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Return a client of the embedded cloud, which takes any credentials."""
    return importlib.import_module("boto3").client(
        service,
        endpoint_url=cloud_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - any value is accepted
    )


@contextmanager
def recorded(cloud_url: str, *, named: Callable[[str], str], proxy_url: str | None = None) -> Generator[Recorder]:
    """Yield a recorder that every function goes through until the end; `named` gives a function's short name.

    What they ask of DynamoDB, Step Functions and SQS goes by way of `proxy_url`, where one is given.
    """
    recorder, client = Recorder(proxy_url or cloud_url), local_client("lambda", cloud_url)
    told = {f"AWS_ENDPOINT_URL_{service}": proxy_url for service in ("SFN", "SQS")} if proxy_url else {}
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    before = {
        each["FunctionName"]: each.get("Environment", {}).get("Variables", {})
        for page in client.get_paginator("list_functions").paginate()
        for each in page["Functions"]
    }
    try:
        for name, own in before.items():
            new = {**own, **told, _VARIABLE: f"http://127.0.0.1:{recorder.server_port}/{named(name)}"}
            client.update_function_configuration(FunctionName=name, Environment={"Variables": new})
        yield recorder
    finally:
        for name, own in before.items():
            client.update_function_configuration(FunctionName=name, Environment={"Variables": own})
        recorder.shutdown()
