"""What is answered when documents are written or read by their identifiers."""

import time

from local.search.bulk import Action, Kind, Outcome, read_actions
from local.search.call import Answer, Call, Json
from local.search.errors import SearchRequestError
from local.search.searching import source_of


def write_bulk(call: Call) -> Answer:
    """Apply many actions; each has its own status in the answer."""
    started = time.monotonic()
    actions = read_actions(call.body, call.path.get("index"))
    outcomes = call.engine.write(actions)
    if call.flag("refresh"):
        for name in {action.index for action in actions if call.engine.has(action.index)}:
            call.engine.index(name).refresh()
    items = [{action.kind: _item(action, outcome)} for action, outcome in zip(actions, outcomes, strict=True)]
    failed = any(isinstance(outcome, SearchRequestError) for outcome in outcomes)
    return 200, {"took": round((time.monotonic() - started) * 1000), "errors": failed, "items": items}


def _item(action: Action, outcome: Outcome | SearchRequestError) -> Json:
    if isinstance(outcome, SearchRequestError):
        return {"_index": action.index, "_id": action.id, "status": outcome.status, "error": outcome.cause()}
    return {**outcome.body(action.index), "status": outcome.status}


def put_document(call: Call) -> Answer:
    """Write one document, replacing the one that had its identifier unless `op_type` is create."""
    kinds: dict[str, Kind] = {"index": "index", "create": "create"}
    wanted = call.parameters.get("op_type", "index")
    if wanted not in kinds:
        raise SearchRequestError(f"opType must be 'create' or 'index', found: [{wanted}]")
    identifier, routing = call.path.get("id"), call.parameters.get("routing")
    return _write_one(call, Action(kinds[wanted], call.index, identifier, routing, call.body))


def delete_document(call: Call) -> Answer:
    """Delete one document; 404 if there is none."""
    return _write_one(call, Action("delete", call.index, call.path["id"]))


def _write_one(call: Call, action: Action) -> Answer:
    index = call.engine.index(call.index)
    (outcome,) = index.write([action])
    if isinstance(outcome, SearchRequestError):
        raise outcome
    if call.flag("refresh"):
        index.refresh()
    return outcome.status, outcome.body(call.index)


def get_document(call: Call) -> Answer:
    """One document as last written, whether or not searches see it yet; 404 if there is none."""
    document = call.engine.index(call.index).get(call.path["id"])
    if document is None:
        return 404, {"_index": call.index, "_id": call.path["id"], "found": False}
    answer: Json = {"_index": call.index, "_id": document.id, "_version": document.version, "found": True}
    answer |= {"_seq_no": document.key - 1, "_primary_term": 1}
    if document.routing is not None:
        answer["_routing"] = document.routing
    wanted = call.source_filter()
    return 200, answer if wanted is False else {**answer, "_source": source_of(document, wanted)}
