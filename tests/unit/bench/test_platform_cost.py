"""What a recorded run is priced at, line by line."""

import http.client
import json
import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.platform_cost import Recording, bill, run_seconds, short_name
from bench.recording import Recorder, Units


def recording() -> Recording:
    """Two runs whose ClaimRun took 100 ms in all, and whose model took as long as it liked."""
    units: Units = defaultdict(float)
    units["ClaimRun", "UpdateItem", "plinth-local-data-RunsE45A2291-D826085DCEF76"] = 4
    return Recording(
        runs=2,
        units=units,
        calls=Counter({"ClaimRun": 2, "CallModel": 2, "Api": 2}),
        milliseconds=defaultdict(float, {"ClaimRun": 100, "CallModel": 90_000, "Api": 0}),
        memory_mb={"ClaimRun": 256, "CallModel": 512, "Api": 512},
        log_bytes=Counter({"ClaimRun": 2000}),
    )


def test_a_run_lasts_as_long_as_its_steps_with_the_model_at_its_stated_time() -> None:
    assert run_seconds(recording()) == pytest.approx(3.05)


def test_each_line_is_dollars_per_million_runs() -> None:
    lines = bill(recording())

    assert lines["Lambda time CallModel"] == pytest.approx(20.0, abs=0.01)
    assert lines["Runs writes"] == pytest.approx(2 * 0.625)
    assert lines["API requests"] == pytest.approx(3.5)
    assert lines["log bytes"] == pytest.approx(0.5)
    assert lines["Express requests"] == pytest.approx(1.0)


def test_a_function_is_known_by_the_name_of_its_step() -> None:
    assert short_name("plinth-local-answer-CallModelFunctionF58F777E-F9D7923AAA932") == "CallModel"


class Store(BaseHTTPRequestHandler):
    """Answers as DynamoDB does where it is asked for what a request consumed."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = {"ConsumedCapacity": {"TableName": asked["TableName"], "CapacityUnits": 2.0}}
        content = json.dumps(answer if asked.get("ReturnConsumedCapacity") == "TOTAL" else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing."""


def test_a_request_that_did_not_ask_what_it_consumed_is_counted_all_the_same() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        with Recorder(f"http://127.0.0.1:{store.server_port}") as recorder:
            threading.Thread(target=recorder.serve_forever, daemon=True).start()
            connection = http.client.HTTPConnection("127.0.0.1", recorder.server_port)
            target = {"x-amz-target": "DynamoDB_20120810.GetItem"}
            connection.request("POST", "/ClaimRun", body=json.dumps({"TableName": "runs"}), headers=target)
            assert connection.getresponse().status == 200
            connection.close()
            assert recorder.units == {("ClaimRun", "GetItem", "runs"): 2.0}
            recorder.shutdown()
        store.shutdown()
