"""What is answered about the engine and its indexes as wholes."""

import msgspec

from local.search.call import SHARDS, Answer, Call


def describe_engine(_: Call) -> Answer:
    """Return what this is, as clients recognise OpenSearch; the version is the one whose scores it gives."""
    version = {"distribution": "opensearch", "number": "2.19.1", "build_type": "local", "lucene_version": "9.12.1"}
    tagline = "The OpenSearch Project: https://opensearch.org/"
    return 200, {"name": "local", "cluster_name": "plinth-local", "version": version, "tagline": tagline}


def describe_health(_: Call) -> Answer:
    """Green: whatever is answered at all is loaded and searchable."""
    nodes = {"number_of_nodes": 1, "number_of_data_nodes": 1}
    return 200, {"cluster_name": "plinth-local", "status": "green", "timed_out": False, **nodes}


def create_index(call: Call) -> Answer:
    """Make an index from settings and mappings."""
    call.engine.create(call.index, call.body)
    return 200, {"acknowledged": True, "shards_acknowledged": True, "index": call.index}


def describe_index(call: Call) -> Answer:
    """Return the settings and mappings of an index."""
    definition = call.engine.index(call.index).definition
    return 200, {call.index: {"aliases": {}, **msgspec.to_builtins(definition)}}


def describe_mapping(call: Call) -> Answer:
    """Return the mappings of an index."""
    mappings = call.engine.index(call.index).definition.mappings
    return 200, {call.index: {"mappings": msgspec.to_builtins(mappings)}}


def check_index(call: Call) -> Answer:
    """Whether an index exists."""
    return (200 if call.engine.has(call.index) else 404), None


def delete_index(call: Call) -> Answer:
    """Remove an index and its documents."""
    call.engine.delete(call.index)
    return 200, {"acknowledged": True}


def refresh_index(call: Call) -> Answer:
    """Make every write to an index visible."""
    call.engine.index(call.index).refresh()
    return 200, {"_shards": SHARDS}
