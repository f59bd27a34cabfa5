"""What the local search engine costs: nearest neighbours, words, restart, against one numpy product of the same run.

Run with `python -m bench.search [--passages 10000 100000]`; prints one JSON object. Times are medians in milliseconds
through opensearch-py over loopback; `ratio` divides by the median of `matrix @ vector` in the measuring process.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from opensearchpy import OpenSearch

from local.processes import LOOPBACK, Child, free_port, start, stop, wait_healthy

DIMENSION = 384
BATCH = 500
TENANTS = 50
WORDS_PER_PASSAGE = 150
VOCABULARY = 30_000

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


def main() -> None:
    """Measure each size and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--passages", type=int, nargs="+", default=[10_000, 100_000])
    sizes = parser.parse_args().passages
    host = {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": "search", "host": host, "results": [measure(size) for size in sizes]}, indent=2))


def measure(count: int) -> dict[str, object]:
    """Fill an engine with `count` passages and time it."""
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
            restart_seconds = time.perf_counter() - started
            reference = median_ms(lambda: vectors @ query)
            times = {name: median_ms(partial(ask, client, body)) for name, body in searches(query).items()}
            resident = resident_mib(engine)
    return {
        "passages": count,
        "fill_passages_per_second": round(count / filled_seconds),
        "restart_seconds": round(restart_seconds, 2),
        "restart_ratio": round(restart_seconds * 1000 / reference),
        "resident_mib": resident,
        "reference_matmul_ms": round(reference, 2),
        "searches": {name: {"p50_ms": round(ms, 2), "ratio": round(ms / reference, 2)} for name, ms in times.items()},
    }


def searches(query: npt.NDArray[np.float32]) -> dict[str, dict[str, object]]:
    """Return the searches that are timed: neighbours among all and within a tenant, frequent and rare words."""
    vector = query.tolist()
    tenant = {"term": {"tenant": "t1"}}
    return {
        "knn": {"knn": {"vector": {"vector": vector, "k": 10}}},
        "knn_in_tenant": {"knn": {"vector": {"vector": vector, "k": 10, "filter": tenant}}},
        "match_frequent": {"match": {"text": "w1 w3 w10"}},
        "match_rare": {"match": {"text": "w20000 w25000"}},
        "match_in_tenant": {"bool": {"must": {"match": {"text": "w5 w50 w500 w5000"}}, "filter": tenant}},
    }


def ask(client: OpenSearch, query: dict[str, object]) -> None:
    """Search once, for ten hits without their vectors."""
    client.search(index="passages", body={"query": query, "size": 10, "_source": {"excludes": ["vector"]}})


def fill(client: OpenSearch, vectors: npt.NDArray[np.float32], draw: np.random.Generator) -> None:
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


def median_ms(run: Callable[[], object], times: int = 31) -> float:
    """Return the median time of a call in milliseconds, after two calls that are not counted."""
    spent: list[float] = []
    for _ in range(times + 2):
        started = time.perf_counter()
        run()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent[2:])


@contextmanager
def running_engine(place: Path) -> Iterator[tuple[OpenSearch, Child]]:
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


if __name__ == "__main__":
    main()
