"""The engine as a process: what survives a kill, when writes become visible, how it stops and what it refuses."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from local.processes import LOOPBACK, free_port
from tests.conformance.passages import FEW, Json, draw_passages, mapping
from tests.unit.search.conftest import Run

VECTOR_QUERY: Json = {"query": {"knn": {"vector": {"vector": [1.0] * 8, "k": 5}}}}
WORD_QUERY: Json = {"query": {"match": {"text": "file storing"}}, "size": 50}


def bulk(client: OpenSearch, documents: list[Json]) -> None:
    lines = [line for one in documents for line in ({"index": {"_index": "p", "_id": one["chunk_id"]}}, one)]
    assert not client.bulk(body=lines)["errors"]


def hits(client: OpenSearch, body: Json) -> list[tuple[str, float]]:
    return [(hit["_id"], hit["_score"]) for hit in client.search(index="p", body=body)["hits"]["hits"]]


def test_what_was_acknowledged_survives_a_kill_and_ranks_as_before(run_engine: Run) -> None:
    client, child = run_engine()
    client.indices.create(index="p", body=mapping())
    bulk(client, draw_passages(200))
    bulk(client, draw_passages(50, seed=9))
    client.delete(index="p", id="p0003")
    before = [hits(client, VECTOR_QUERY), hits(client, WORD_QUERY)]

    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    client, _ = run_engine()

    assert [hits(client, VECTOR_QUERY), hits(client, WORD_QUERY)] == before
    assert client.count(index="p")["count"] == 199
    assert client.get(index="p", id="p0001")["_version"] == 2


def test_a_kill_in_the_middle_of_writing_loses_no_acknowledged_batch(run_engine: Run) -> None:
    client, child = run_engine()
    client.indices.create(index="p", body=mapping())
    writer = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS_WRITER, f"http://{LOOPBACK}:{client.transport.hosts[0]['port']}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(20)]
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    acknowledged += [int(line) for line in writer.stdout]
    writer.wait()
    writer.stdout.close()
    client, _ = run_engine()

    positions = client.search(index="p", body={"size": 10_000, "sort": ["position"]})["hits"]["hits"]

    kept = {hit["_source"]["position"] for hit in positions}
    assert {batch * 3 + part for batch in acknowledged for part in range(3)} <= kept
    assert len(kept) % 3 == 0


_ENDLESS_WRITER = """
import itertools, sys
from opensearchpy import OpenSearch
client = OpenSearch(sys.argv[1], max_retries=0)
for batch in itertools.count():
    lines = []
    for part in range(3):
        lines += [{"index": {"_index": "p"}}, {"position": batch * 3 + part}]
    try:
        client.bulk(body=lines)
    except Exception:
        break
    print(batch, flush=True)
"""


def test_a_write_becomes_visible_after_the_refresh_lag_and_can_be_read_by_id_at_once(run_engine: Run) -> None:
    client, _ = run_engine("--refresh-seconds", "1.5")
    client.indices.create(index="p", body=mapping())
    bulk(client, FEW)

    assert client.count(index="p")["count"] == 0
    assert client.get(index="p", id="a")["found"]
    time.sleep(1.6)
    assert client.count(index="p")["count"] == len(FEW)

    client.delete(index="p", id="a")
    client.index(index="p", id="b", body={"chunk_id": "b", "text": "changed"})
    assert hits(client, {"query": {"match": {"text": "brown"}}})
    assert client.search(index="p", body={"query": {"ids": {"values": ["b"]}}})["hits"]["hits"][0]["_source"] == FEW[1]
    answer = client.delete_by_query(
        index="p", body={"query": {"term": {"tenant": "red"}}}, params={"conflicts": "proceed"}
    )
    assert (answer["deleted"], answer["version_conflicts"]) == (0, 2)
    client.indices.refresh(index="p")
    assert client.count(index="p", body={"query": {"match": {"text": "changed"}}})["count"] == 1
    assert client.count(index="p")["count"] == len(FEW) - 1


def test_a_deleted_index_stays_deleted_and_its_name_can_be_used_again(run_engine: Run, tmp_path: Path) -> None:
    client, child = run_engine()
    client.indices.create(index="p", body=mapping())
    bulk(client, FEW)
    client.indices.delete(index="p")
    client.indices.create(index="p", body=mapping())
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()

    client, _ = run_engine()

    assert client.count(index="p")["count"] == 0
    assert not list((tmp_path / "data" / "discarded").iterdir())


def test_sigterm_ends_the_engine_cleanly_within_seconds(run_engine: Run) -> None:
    client, child = run_engine()
    client.info()
    started = time.monotonic()

    child.process.terminate()

    assert child.process.wait(timeout=10) == 0
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("options", [["--colour"], ["--port", "many", "--data", "x"], ["--data", "x"], ["--po", "1"]])
def test_an_unknown_or_incomplete_option_is_refused(options: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "local.search", *options], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "usage:" in ended.stderr


def test_a_second_engine_on_the_same_data_says_so_and_leaves_the_first_alone(run_engine: Run, tmp_path: Path) -> None:
    client, _ = run_engine()
    command = [sys.executable, "-m", "local.search", "--port", str(free_port()), "--data", str(tmp_path / "data")]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "another search engine uses" in ended.stderr
    assert client.info()


def test_a_busy_port_is_named(run_engine: Run, tmp_path: Path) -> None:
    client, _ = run_engine()
    port = str(client.transport.hosts[0]["port"])
    command = [sys.executable, "-m", "local.search", "--port", port, "--data", str(tmp_path / "other")]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, port in ended.stderr) == (1, True)


def test_shapes_of_requests_and_refusals_are_noted_once_without_what_they_hold(run_engine: Run, tmp_path: Path) -> None:
    file = tmp_path / "searches.txt"
    client, _ = run_engine("--note-requests", str(file))
    asked = [{"index": "absent"}, {"query": {"term": {"tenant": "secret"}}, "size": 3}]
    for _ in range(2):
        client.msearch(body=asked)
    client.cluster.health(params={"wait_for_status": "green"})
    client.indices.exists(index="absent", headers={"x-opaque-id": "of a test"})

    assert file.read_text().splitlines() == [
        "POST /_msearch -> 404 index_not_found_exception",
        "POST /_msearch {query: {term: {tenant: text}}, size: number}",
        "GET /_cluster/health?wait_for_status",
    ]
