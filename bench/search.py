"""What the local search engine costs: nearest neighbours, words, restart, beside one numpy product over its vectors.

Times are those of opensearch-py over loopback; the product `matrix @ vector` is made in the measuring process.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from opensearchpy import OpenSearch

from bench.figures import Figure, Goal, in_turns, wall_ms
from local.processes import LOOPBACK, Child, free_port, start, stop, wait_healthy

DIMENSION = 384
SMALL, LARGE = 10_000, 100_000
GOALS_MS = {SMALL: 1.0, LARGE: 5.0}
GOAL_RECALL = 0.99
TIMES = 31
QUESTIONS = 100
NEAREST = 10
BATCH = 500
TENANTS = 50
WORDS_PER_PASSAGE = 150
VOCABULARY = 30_000

Vector = npt.NDArray[np.float32]

MAPPING = {
    "settings": {"index.knn": True},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "chunk_id": {"type": "keyword"},
            "tenant": {"type": "keyword"},
            "position": {"type": "integer"},
            "text": {"type": "text"},
            "vector": {
                "type": "knn_vector",
                "dimension": DIMENSION,
                "method": {"name": "hnsw", "space_type": "cosinesimil", "engine": "lucene"},
            },
        },
    },
}


def measure(*, large: bool) -> list[Figure]:
    """Return the figures of an engine with 10,000 passages and, where asked for, of one with 100,000."""
    return [figure for count in ((SMALL, LARGE) if large else (SMALL,)) for figure in at_size(count)]


def at_size(count: int) -> list[Figure]:
    """Fill an engine with `count` passages, restart it, and time its searches."""
    draw = np.random.default_rng(7)
    vectors = draw.standard_normal((count, DIMENSION)).astype(np.float32)
    query = draw.standard_normal(DIMENSION).astype(np.float32)
    with tempfile.TemporaryDirectory() as place:
        with running_engine(Path(place)) as (client, _):
            started = time.perf_counter()
            fill(client, vectors, draw)
            filled_seconds = time.perf_counter() - started
        started = time.perf_counter()
        with running_engine(Path(place)) as (client, engine):
            restart_ms = (time.perf_counter() - started) * 1000
            product = wall_ms(lambda: vectors @ query)
            restart = Figure(
                name=f"restart, {count}",
                unit="ms",
                samples=(restart_ms,),
                reference=reference(count),
                reference_samples=(statistics.median(product() for _ in range(TIMES)),),
                details={
                    "filled_per_second": round(count / filled_seconds),
                    "resident_mib": resident_mib(engine),
                    "empty_round_trip_ms": round(statistics.median(wall_ms(client.ping)() for _ in range(TIMES)), 2),
                },
            )
            asks = {name: partial(ask, client, body) for name, body in searches(query).items()}
            timed = [search_figure(name, run, product, count=count) for name, run in asks.items()]
            questions = draw.standard_normal((QUESTIONS, DIMENSION)).astype(np.float32)
            return [restart, recall_figure(client, vectors, questions), *timed]


def recall_figure(client: OpenSearch, vectors: Vector, questions: Vector) -> Figure:
    """Return which share of the true ten nearest is found, among all and within a tenant, by cosine of full vectors."""
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    mine = np.arange(1, len(vectors), TENANTS)
    among_all, in_tenant = (
        float(np.mean([_share_found(client, name, each, directions, among) for each in questions]))
        for name, among in (("knn", np.arange(len(vectors))), ("knn_in_tenant", mine))
    )
    return Figure(
        name=f"recall@10, {len(vectors)}",
        unit="of the true ten",
        samples=(among_all,),
        reference="exact search with numpy",
        reference_samples=(1.0,),
        details={"in_tenant": round(in_tenant, 4), "questions": len(questions)},
        goals=tuple(
            Goal(what=what, value=value, limit=GOAL_RECALL, at_least=True)
            for what, value in (("recall@10", among_all), ("recall@10 in a tenant", in_tenant))
        ),
    )


def _share_found(
    client: OpenSearch, name: str, question: Vector, directions: Vector, among: npt.NDArray[np.int64]
) -> float:
    nearest = among[np.argsort(directions[among] @ question)[-NEAREST:]]
    body = {"query": searches(question)[name], "size": NEAREST, "_source": ["position"]}
    hits = client.search(index="passages", body=body)["hits"]["hits"]
    return len({hit["_source"]["position"] for hit in hits} & set(nearest.tolist())) / NEAREST


def search_figure(name: str, run: Callable[[], None], product: Callable[[], float], *, count: int) -> Figure:
    """Time one search among `count` passages."""
    samples, references = in_turns(wall_ms(run), product, times=TIMES)
    return Figure(
        name=f"{name}, {count}",
        unit="ms",
        samples=samples,
        reference=reference(count),
        reference_samples=references,
        goals=(Goal(what="ms p50", value=statistics.median(samples), limit=GOALS_MS[count]),),
    )


def reference(count: int) -> str:
    """Say what searches among `count` passages are compared with."""
    return f"numpy product of {count} vectors with one"


def searches(query: Vector) -> dict[str, dict[str, object]]:
    """Return the searches that are timed: neighbours among all and within a tenant, frequent and rare words."""
    vector = query.tolist()
    tenant = {"term": {"tenant": "t1"}}
    return {
        "knn": {"knn": {"vector": {"vector": vector, "k": NEAREST}}},
        "knn_in_tenant": {"knn": {"vector": {"vector": vector, "k": NEAREST, "filter": tenant}}},
        "match_frequent": {"match": {"text": "w1 w3 w10"}},
        "match_rare": {"match": {"text": "w20000 w25000"}},
        "match_in_tenant": {"bool": {"must": {"match": {"text": "w5 w50 w500 w5000"}}, "filter": tenant}},
    }


def ask(client: OpenSearch, query: dict[str, object]) -> None:
    """Search once, for ten hits without their vectors."""
    client.search(index="passages", body={"query": query, "size": NEAREST, "_source": {"excludes": ["vector"]}})


def fill(client: OpenSearch, vectors: Vector, draw: np.random.Generator) -> None:
    """Index one passage per vector; words are as unevenly frequent as in prose."""
    client.indices.create(index="passages", body=MAPPING)
    for first in range(0, len(vectors), BATCH):
        lines: list[object] = []
        for number in range(first, min(first + BATCH, len(vectors))):
            words = np.minimum(draw.zipf(1.2, WORDS_PER_PASSAGE), VOCABULARY)
            text = " ".join(f"w{word}" for word in words)
            source = {"chunk_id": f"c{number}", "tenant": f"t{number % TENANTS}", "position": number, "text": text}
            lines += [{"index": {"_id": f"c{number}"}}, {**source, "vector": vectors[number].tolist()}]
        body = b"\n".join(msgspec.json.encode(line) for line in lines) + b"\n"
        answer = client.bulk(index="passages", body=body)
        if answer["errors"]:
            raise RuntimeError(f"a bulk failed: {answer['items'][0]}")


@contextmanager
def running_engine(place: Path) -> Generator[tuple[OpenSearch, Child]]:
    """Yield a client of an engine that keeps its data in `place`."""
    port = free_port()
    command = [sys.executable, "-m", "local.search", "--port", str(port), "--data", str(place / "data")]
    engine = start("search", command, env=os.environ, log_path=place / "search.log")
    try:
        wait_healthy(f"http://{LOOPBACK}:{port}/_cluster/health", engine, 300)
        with OpenSearch(f"http://{LOOPBACK}:{port}", timeout=120) as client:
            yield client, engine
    finally:
        stop([engine])


def resident_mib(engine: Child) -> int:
    """Return the engine's resident memory in MiB, 0 where /proc does not tell."""
    status = Path(f"/proc/{engine.process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:")), 0)
