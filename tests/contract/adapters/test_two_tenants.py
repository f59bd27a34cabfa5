"""Two tenants over every route and every store: whatever one has, each byte that the other receives is the same.

What the other asks is asked before and after, and the answers are compared whole: status, header fields, body. A new
route, or a new store in the registry, fails here until it has a case. The stores are real ones, in the embedded cloud.
"""

import re
from collections.abc import Callable

import pytest

from plinth.api.application import make_resolver
from plinth.api.openapi import openapi_document
from plinth.contracts.exporting import Subject
from plinth.contracts.memory import DocumentState, SearchScope
from plinth.contracts.retrieval import DEFAULT_MIX
from plinth.contracts.runs import RunStatus
from plinth.errors import PlinthError
from plinth.memory.facts import fact_id
from plinth.memory.naming import document_id
from tests.contract.adapters.two_tenants import ERASURE, EXPORT, IMPORT, NAME, REPEATED, RUN, TIER, USER, Two
from tests.registered_stores import erased_stores

pytestmark = pytest.mark.guarantee_e
_MADE_ANEW = re.compile(r"run_[0-9a-z]{26}|[0-9a-f]{32}|X-Amz-[^\"]*|\br=\d+|\bt=\d+|'x-ratelimit[^,]*")
_MEASURED = re.compile(r'"(duration_ms|started_at|at|cold)":[^,}]+|"spent":\{[^}]*\}')
Asked = dict[str, str]


def _route_cases(two: Two) -> dict[tuple[str, str], list[tuple[str, object]]]:
    """Return what is asked of each route: paths, and bodies where there is one."""
    document, sync = document_id(two.other, NAME), two.sync_of(two.other).id
    creation = {"name": NAME, "content_type": "text/markdown", "size_bytes": 12}
    approval = {"decision": "approve", "arguments_sha256": "0" * 64}
    return {
        ("POST", "/v1/runs"): [("/v1/runs", {"question": "why?"}), ("/v1/runs", {"question": ""})],
        ("GET", "/v1/runs/{run_id}"): [(f"/v1/runs/{RUN}", None)],
        ("GET", "/v1/runs/{run_id}/trace"): [(f"/v1/runs/{RUN}/trace", None)],
        ("GET", "/v1/runs/{run_id}/contents"): [(f"/v1/runs/{RUN}/contents", None)],
        ("GET", "/v1/runs/{run_id}/events"): [(f"/v1/runs/{RUN}/events", None)],
        ("POST", "/v1/runs/{run_id}/cancel"): [(f"/v1/runs/{RUN}/cancel", None)],
        ("POST", "/v1/runs/{run_id}/approvals/{call}"): [(f"/v1/runs/{RUN}/approvals/1-1", approval)],
        ("GET", "/v1/documents"): [("/v1/documents", None), ("/v1/documents?limit=1", None)],
        ("POST", "/v1/documents"): [("/v1/documents", creation)],
        ("GET", "/v1/documents/{document}"): [(f"/v1/documents/{document}", None)],
        ("POST", "/v1/documents/{document}/redrive"): [(f"/v1/documents/{document}/redrive", None)],
        ("GET", "/v1/documents/{document}/passages/{position}"): [(f"/v1/documents/{document}/passages/0", None)],
        ("DELETE", "/v1/documents/{document}"): [(f"/v1/documents/{document}", None)],
        ("POST", "/v1/exports"): [("/v1/exports", {"user": USER}), ("/v1/exports", {"tenant": two.other.id})],
        ("GET", "/v1/exports/{export}"): [(f"/v1/exports/{EXPORT}", None)],
        ("GET", "/v1/exports/{export}/files"): [(f"/v1/exports/{EXPORT}/files", None)],
        ("DELETE", "/v1/users/{user}"): [("/v1/users/nobody", None)],
        ("DELETE", "/v1/tenants/{tenant}"): [(f"/v1/tenants/{two.other.id}", None)],
        ("GET", "/v1/erasures/{erasure}"): [(f"/v1/erasures/{ERASURE}", None)],
        ("GET", "/v1/conversations"): [("/v1/conversations", None)],
        ("GET", "/v1/conversations/{conversation}"): [
            ("/v1/conversations/talk", None),
            ("/v1/conversations/theirs", None),
        ],
        ("DELETE", "/v1/conversations/{conversation}"): [("/v1/conversations/theirs", None)],
        ("GET", "/v1/facts"): [("/v1/facts", None)],
        ("DELETE", "/v1/facts/{fact}"): [(f"/v1/facts/{fact_id('only theirs')}", None)],
        ("POST", "/v1/imports"): [("/v1/imports", {"files": [{**creation, "sha256": "0" * 64}]})],
        ("GET", "/v1/imports/{import_name}"): [(f"/v1/imports/{IMPORT}", None)],
        ("GET", "/v1/imports/{import_name}/uploads"): [(f"/v1/imports/{IMPORT}/uploads", None)],
        ("POST", "/v1/imports/{import_name}/start"): [(f"/v1/imports/{IMPORT}/start", None)],
        ("POST", "/v1/syncs"): [("/v1/syncs", {"tenant": two.other.id, "bucket": "team"})],
        ("GET", "/v1/syncs"): [(f"/v1/syncs?tenant={two.other.id}", None)],
        ("GET", "/v1/syncs/{sync}"): [(f"/v1/syncs/{sync}", None)],
        ("POST", "/v1/syncs/{sync}/now"): [(f"/v1/syncs/{sync}/now", {})],
        ("DELETE", "/v1/syncs/{sync}"): [(f"/v1/syncs/{sync}?documents=erase", None)],
        ("GET", "/v1/models"): [("/v1/models", None)],
        ("GET", "/v1/models/{model}"): [("/v1/models/plinth-local", None)],
        ("GET", "/v1/usage"): [("/v1/usage?by=user", None), ("/v1/usage?by=day", None)],
        ("GET", "/v1/health"): [("/v1/health", None)],
        ("GET", "/v1/openapi.json"): [("/v1/openapi.json", None)],
    }


def _store_cases(two: Two) -> dict[str, Callable[[], object]]:
    """Return what is asked of each store of the registry, past the routes."""
    services, asking = two.services, two.asking
    vector = services.embedder.embed(["peaches are sweet"])[0]
    own = two.version(asking)
    return {
        "runs": lambda: list(services.usage.days(asking, first="2000-01-01", last="2999-12-31")),
        "conversations": lambda: (
            services.conversations.recent(asking, USER, "talk", limit=9),
            services.conversations.summary(asking, USER, "talk", labels=()),
            services.facts.nearest(asking, USER, vector, limit=9),
        ),
        "answers": lambda: services.answers.get(asking, "key"),
        "documents": lambda: (
            services.documents.live_generations(asking, [document_id(two.other, NAME), own.document_id]),
            services.documents.corpus_version(asking),
            [(each.id, services.syncs.brought(each)) for each in services.syncs.of(asking)],
        ),
        "ledger": lambda: services.ledger.left([two.budget(asking)]),
        "passages": lambda: services.memory.named(services.documents.corpus(asking).indexes.live).search(
            SearchScope(tenant=asking), "peaches are sweet", vector, limit=1, mix=DEFAULT_MIX
        ),
        "exports": lambda: [_exported(two, user) for user in (None, USER)],
        "tenants": lambda: (
            {each.subject for each in services.exporting.jobs.of(asking)},
            services.tenants.standing(asking),
        ),
        "work": lambda: _or_error(lambda: services.work.get(two.as_other(two.version(two.other)), "text")),
        "sources": lambda: (
            _or_error(lambda: services.sources.fetch(own).body),
            sorted(each.name for each in services.sources.current(asking)),
        ),
    }


def _exported(two: Two, user: str | None) -> list[str]:
    """Return the lines of an export, each run once: how many of them there are is not the same each time."""
    files = two.exported(Subject(tenant=two.asking, user=user))
    del files["manifest.json"]
    lines = (f"{path.split('/')[0]} {line}" for path, body in files.items() for line in body.decode().splitlines())
    told = [_MEASURED.sub("~", _MADE_ANEW.sub("~", line)) for line in lines]
    return sorted({line for line in told if line.startswith("runs")}) + sorted(
        line for line in told if not line.startswith("runs")
    )


def _or_error(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except PlinthError as error:
        return repr(error)


def _told(two: Two, method: str, path: str, body: object) -> str:
    """Return all that an answer says; event streams come from the relay."""
    if path.endswith("/events"):
        read = two.relay.request(method, path)
        return f"{read.status_code} {sorted(read.headers.items())} {read.text}"
    answer = two.client.call(method, path, body)
    return f"{answer.status} {sorted(answer.headers.items())} {answer.text}"


def _asked(two: Two) -> Asked:
    """Ask everything, and return the answers by case, without what is made anew each time."""
    answers: Asked = {"limits": repr(two.limits_left == two.services.limits.left(two.asking, TIER))}
    two.end_erasures(two.asking)
    repeated = two.client.ask("why?", headers={"Idempotency-Key": REPEATED})
    answers["idempotency key"] = f"{repeated.status} {repeated.text}"
    for (method, route), cases in _route_cases(two).items():
        for number, (path, body) in enumerate(cases):
            answers[f"{method} {route} {number}"] = _told(two, method, path, body)
    for store, ask in _store_cases(two).items():
        answers[store] = repr(ask())
    two.limits_left = two.services.limits.left(two.asking, TIER)
    return {case: _MADE_ANEW.sub("~", answer) for case, answer in answers.items()}


def _differing(two: Two) -> set[str]:
    """Return the cases whose answers change when the other tenant comes to have something."""
    _asked(two)  # what the asking itself changes has changed by now
    before = _asked(two)
    two.furnish(two.other, run_id=RUN, words="peaches are sweet", copies=9)
    after = _asked(two)
    return {case for case in before if before[case] != after[case]}


def test_every_route_and_every_store_that_a_tenant_reads_has_a_case(two: Two) -> None:
    document = openapi_document(make_resolver())
    routes = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}

    assert routes == set(_route_cases(two)), "give a new route a case, with an id of the other tenant"
    assert erased_stores() == set(_store_cases(two)), "give a new store a case"


def test_nothing_that_a_tenant_receives_depends_on_what_another_has(two: Two) -> None:
    assert _differing(two) == set()


def test_nothing_that_a_tenant_does_changes_what_another_has(two: Two) -> None:
    two.furnish(two.other, run_id=RUN, words="a secret", copies=1)
    version = two.version(two.other)

    _asked(two)
    two.services.sources.delete(two.asking, NAME)

    assert two.services.runs.get(two.other, RUN).status is RunStatus.DONE
    assert two.services.documents.get(two.other, version.document_id).state is DocumentState.AWAITING_UPLOAD
    assert two.services.sources.fetch(version).body == b"a secret"
    assert two.services.work.get(version, "text") == b"a secret"


MUTANTS = {
    "plinth.adapters.dynamo_runs._pk": lambda _, run_id: f"#{run_id}",
    "plinth.adapters.dynamo_usage._pk": lambda _: "#USAGE",
    "plinth.adapters.dynamo_conversations._pk": lambda _, user, conversation: f"#{user}#{conversation}",
    "plinth.adapters.dynamo_facts.user_pk": lambda _, user: f"#{user}",
    "plinth.adapters.dynamo_conversations.user_pk": lambda _, user: f"#{user}",
    "plinth.adapters.dynamo_answers._key": lambda _, key, kind="ANSWER": (f"#{key}", kind),
    "plinth.adapters.dynamo_documents._key": lambda _, document: ("all", f"DOCUMENT#{document}"),
    "plinth.money.ledger.budget_rows.budget_key": lambda scope: ("#BUDGET", f"{scope.kind.upper()}#{scope.name}"),
    "plinth.adapters.opensearch_requests._within": lambda _: [{"range": {"position": {"gte": 0}}}],
    "plinth.adapters.s3_work._key": lambda document, name: f"{document.document_id}/{name}",
    "plinth.adapters.s3_documents.object_key": lambda _, name: name,
    "plinth.adapters.dynamo_runs._remembered_under": lambda _, key: (f"#IDEMPOTENCY#{key.key}", "REQUEST"),
    "plinth.adapters.dynamo_limits._key": lambda _: ("TENANT#", "LIMITS"),
    "plinth.adapters.exportable_rows.is_own": lambda *_: True,
    "plinth.adapters.exportable_runs.is_own": lambda *_: True,
    "plinth.adapters.exportable_sources.object_key": lambda _, name: name,
    "plinth.adapters.dynamo_export_jobs._pk": lambda _: "TENANT#",
    "plinth.api.erasures.require_own": lambda *_, **__: None,
}
"""Each drops the one thing that keeps tenants apart in a store or on a route."""


@pytest.mark.parametrize("place", MUTANTS)
def test_a_store_that_forgets_the_tenant_is_noticed(
    two: Two, monkeypatch: pytest.MonkeyPatch, place: str, search_requests: set[str]
) -> None:
    monkeypatch.setattr(place, MUTANTS[place])

    try:
        differing = _differing(two)
    except PlinthError:
        return  # the two tenants' writes already met on one row
    assert differing
    search_requests.clear()
