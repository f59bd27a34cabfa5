"""The documents that backends are compared on: a handful read by eye, and a few hundred drawn from a fixed seed."""

import random

Json = dict[str, object]

DIMENSION = 8

FEW: list[Json] = [
    {"chunk_id": "a", "tenant": "red", "position": 0, "text": "The quick brown fox", "page": 1, "at": "2024-01-01"},
    {"chunk_id": "b", "tenant": "red", "position": 1, "text": "A quick red fox, a very quick fox", "page": 2},
    {"chunk_id": "c", "tenant": "blue", "position": 2, "text": "Slow snails don't jump", "at": "2024-06-01T12:00:00Z"},
    {"chunk_id": "d", "tenant": "blue", "position": 3, "text": "The fox jumps over version 2.19", "fresh": True},
    {"chunk_id": "e", "tenant": "green", "position": 4, "text": "nothing to see", "fresh": False, "at": 1735689600000},
    {"chunk_id": "f", "tenant": "green", "position": 5},
]

_WORDS = [
    f"{stem}{end}"
    for stem in ("fil", "stor", "index", "quer", "map", "shard", "node")
    for end in ("e", "ing", "ed", "s", "er", "able", "-up", "'s", " 3.5", "_id")
]


def mapping(**method: object) -> Json:
    """Return the body that creates an index of passages; `method` overrides how vectors are compared."""
    vector = {"name": "hnsw", "space_type": "cosinesimil", "engine": "lucene", **method}
    return {
        "settings": {"index": {"knn": True, "number_of_shards": 1, "number_of_replicas": 0}},
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "chunk_id": {"type": "keyword"},
                "tenant": {"type": "keyword"},
                "position": {"type": "integer"},
                "size": {"type": "long"},
                "text": {"type": "text"},
                "title": {"type": "text"},
                "page": {"type": "integer"},
                "at": {"type": "date"},
                "fresh": {"type": "boolean"},
                "vector": {"type": "knn_vector", "dimension": DIMENSION, "method": vector},
            },
        },
    }


def draw_passages(count: int, seed: int = 7) -> list[Json]:
    """Return `count` passages; words are as unevenly frequent as in prose, and one passage in ten has no vector."""
    draw = random.Random(seed)
    weights = [1 / rank for rank in range(1, len(_WORDS) + 1)]
    passages: list[Json] = []
    for number in range(count):
        passage: Json = {
            "chunk_id": f"p{number:04}",
            "tenant": draw.choice(["red", "blue", "green"]),
            "position": number,
            "size": draw.randrange(10**12),
            "text": " ".join(draw.choices(_WORDS, weights, k=draw.randrange(1, 120))),
            "fresh": draw.random() < 0.3,
        }
        if draw.random() < 0.6:
            passage["title"] = " ".join(draw.choices(_WORDS, k=draw.randrange(1, 6)))
        if draw.random() < 0.9:
            passage["vector"] = draw_vector(draw)
        passages.append(passage)
    return passages


def draw_vector(draw: random.Random) -> list[float]:
    """Return a vector of normally distributed numbers."""
    return [draw.gauss() for _ in range(DIMENSION)]


def draw_words(draw: random.Random, count: int) -> str:
    """Return `count` words, some of which no passage holds."""
    return " ".join(draw.choices([*_WORDS, "unheard", "of"], k=count))
