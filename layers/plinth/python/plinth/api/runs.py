"""The routes of runs: ask a question, and read what became of it."""

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import quote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from plinth.access.readable_runs import readable_run
from plinth.access.run_ids import new_run_id
from plinth.access.spending import least_bound_micro_usd, require_budget
from plinth.api.exchange import CurrentExchange, Exchange
from plinth.api.responses import JSON
from plinth.api.run_creation import RunCreation, run_request, run_seconds
from plinth.api.waiting import wait_for_end, wanted_wait
from plinth.chain.executions import run_of
from plinth.chain.routing import estimated_tokens
from plinth.contracts.approvals import Approval
from plinth.contracts.events import Beginning, RunEnded
from plinth.contracts.runs import (
    Answer,
    CachedAnswer,
    CacheMatch,
    Failure,
    IdempotencyKey,
    Receipt,
    Run,
    RunRecord,
    RunRequest,
    RunStatus,
    contents_until,
)
from plinth.errors import IdempotencyConflictError, NotFoundError, PlinthError, ServiceUnavailableError
from plinth.money.budgets import budgets_of
from plinth.money.platform import ACCEPTING_UNITS, ANSWERING_UNITS
from plinth.runtime.answer_endings import cached_receipt, last_events, whole
from plinth.runtime.approving import withdraw
from plinth.runtime.cached_answers import answer_at_once

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReference:
    """An accepted run, and where its events can be read."""

    id: str
    status: RunStatus
    events_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as its owner sees it. Times are Unix seconds; from `expires_at` on, nothing of it can be read.

    A failed or cancelled run carries `failure`, a done one `answer`; `approvals` are what it asked a person.
    """

    id: str
    status: RunStatus
    events_url: str
    question: str
    model: str
    conversation_id: str | None
    created_at: float
    ended_at: float | None
    expires_at: int
    answer: Answer | None
    receipt: Receipt | None
    failure: Failure | None
    approvals: tuple[Approval, ...] = ()


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the routes of runs."""
    ended: OpenAPIResponse = {
        "description": "The run ended within the wait that was asked for.",
        "content": {JSON: {"model": RunView}},
    }
    accepted: OpenAPIResponse = {
        "description": "The run was written down and started.",
        "content": {JSON: {"model": RunReference}},
    }
    resolver.post(
        "/v1/runs",
        status_code=202,
        summary="Ask a question",
        tags=["runs"],
        operation_id="create_run",
        responses={200: ended, 202: accepted},
    )(create_run)
    resolver.post(
        "/v1/runs/<run_id>/cancel",
        status_code=202,
        summary="Cancel a run",
        tags=["runs"],
        operation_id="cancel_run",
    )(cancel_run)
    resolver.get("/v1/runs/<run_id>", summary="Read a run", tags=["runs"], operation_id="get_run")(get_run)


def create_run(
    creation: RunCreation,
    exchange: CurrentExchange,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[ -~]{1,255}$")] = None,
    prefer: Annotated[str | None, Header(alias="Prefer", max_length=200)] = None,
) -> Response[RunReference | RunView]:
    """Start a run: 202 with where to follow it, or 200 with the ended run if `Prefer: wait=N` was long enough.

    The same Idempotency-Key of a user with the same body stands for the same run.
    """
    wait_seconds = wanted_wait(prefer)
    key = None
    if idempotency_key is not None:
        own = f"{quote(exchange.caller.user, safe='')}#{idempotency_key}"
        key = IdempotencyKey(key=own, body_sha256=hashlib.sha256(exchange.body).hexdigest())
    reference = _repeated(exchange, key)
    if reference is None:
        request = run_request(creation, exchange.caller, default_model=exchange.services.settings.default_model)
        reference = _accept(exchange, request, key, seconds=run_seconds(creation, exchange.caller))
    exchange.run_id = reference.id
    headers = {"Location": f"/v1/runs/{reference.id}"}
    if wait_seconds is not None:
        headers["Preference-Applied"] = f"wait={wait_seconds}"
        if ended := wait_for_end(exchange, reference.id, seconds=wait_seconds):
            return Response(status_code=200, content_type=JSON, body=_view(ended), headers=headers)
    return Response(status_code=202, content_type=JSON, body=reference, headers=headers)


def get_run(run_id: str, exchange: CurrentExchange) -> RunView:
    """Return the run with its answer, citations and receipt as far as they exist."""
    return _view(readable_run(exchange.services.runs, exchange.caller, run_id))


def cancel_run(run_id: str, exchange: CurrentExchange) -> RunReference:
    """Stop the run: its model within about a second, else before the next call of one. What was billed is settled.

    A run that has ended stays as it is; its events tell how it ends. It can be asked for any number of times.
    """
    readable_run(exchange.services.runs, exchange.caller, run_id)
    services, caller = exchange.services, exchange.caller
    record = services.runs.cancel(caller.tenant, run_id)
    if record.status is RunStatus.AWAITING_APPROVAL:
        withdraw(record, caller.tenant, services, user=caller.user, key_id=caller.key_id)
    return _reference(record.id, record.status)


def _repeated(exchange: Exchange, key: IdempotencyKey | None) -> RunReference | None:
    """Return the run that the key stands for already: a repeat takes nothing from any limit."""
    run_id = exchange.services.runs.find(exchange.caller.tenant, key) if key else None
    return _resume(exchange, run_id) if run_id else None


def _accept(exchange: Exchange, request: RunRequest, key: IdempotencyKey | None, *, seconds: int) -> RunReference:
    services, tenant, now = exchange.services, exchange.caller.tenant, exchange.services.clock.now()
    keep_until = int(now) + exchange.caller.tier.retention_days * _DAY_SECONDS
    run = Run(
        id=new_run_id(now),
        tenant=tenant,
        epoch=1,
        deadline=now + seconds,
        keep_until=keep_until,
        contents_until=contents_until(request.contents, now + seconds),
    )
    if days := exchange.caller.tier.conversation_days:
        request = replace(request, remember_until=int(now) + days * _DAY_SECONDS)
    cached = answer_at_once(tenant, request, services)
    if cached is None:
        _require_budget(exchange, request)
    exchange.admit(run, tokens=0 if cached else estimated_tokens(request), holds=not cached)
    try:
        acceptance = services.runs.accept(run, request, key, _beginning(exchange, run, request, cached))
    except PlinthError:
        services.limits.ended(run, used_tokens=0)
        raise
    if acceptance.fresh and cached:
        return _reference(run.id, RunStatus.DONE)
    if acceptance.fresh:
        _start(exchange, run)
        return _reference(run.id, RunStatus.ACCEPTED)
    services.limits.ended(run, used_tokens=0)
    return _resume(exchange, acceptance.run_id)


def _beginning(exchange: Exchange, run: Run, request: RunRequest, cached: CachedAnswer | None) -> Beginning:
    """Return this function's own part, and the end of a run that takes over an earlier answer."""
    services = exchange.services
    if cached is None:
        return Beginning(events=(exchange.measured.ended(writing=ACCEPTING_UNITS),))
    own = exchange.measured.ended(writing=ANSWERING_UNITS)
    saved = cached_receipt(
        saved_micro_usd=cached.cost_micro_usd,
        match=CacheMatch.EXACT,
        saved_at=cached.saved_at,
        now=services.clock.now(),
    )
    receipt = whole(saved, run, request, services, [own])
    events = last_events(cached.answer, reply=None, receipt=receipt, steps=[own])
    return Beginning(events=tuple(events), answer=cached.answer)


def _require_budget(exchange: Exchange, request: RunRequest) -> None:
    budgets = budgets_of(exchange.caller.tenant, request)
    needed = least_bound_micro_usd(request) if budgets else 0
    if needed:
        require_budget(needed, exchange.services.ledger.left(budgets))


def _start(exchange: Exchange, run: Run) -> None:
    try:
        exchange.services.machines.start_answer(run)
    except PlinthError as error:
        message = "the run could not be started: ask again"
        ended = RunEnded(status=RunStatus.FAILED, reason="not_started", message=message)
        exchange.services.run_log.append(run, [ended])
        exchange.services.limits.ended(run, used_tokens=0)
        raise ServiceUnavailableError(
            "the run was accepted but could not be started, and was ended: ask again with a new Idempotency-Key"
        ) from error


def _resume(exchange: Exchange, run_id: str) -> RunReference:
    """Start again what an earlier request accepted and may not have started: only one execution can claim a run.

    Raises `IdempotencyConflictError` where the earlier request came with a key of more labels.
    """
    try:
        record = readable_run(exchange.services.runs, exchange.caller, run_id)
    except NotFoundError as absent:
        told = "this Idempotency-Key stands for a run that this API key can't read: use a new one"
        raise IdempotencyConflictError(told) from absent
    if record.status is RunStatus.ACCEPTED:
        exchange.services.machines.start_answer(run_of(record, exchange.caller.tenant))
    return _reference(record.id, record.status)


def _reference(run_id: str, status: RunStatus) -> RunReference:
    return RunReference(id=run_id, status=status, events_url=f"/v1/runs/{run_id}/events")


def _view(record: RunRecord) -> RunView:
    return RunView(
        id=record.id,
        status=record.status,
        events_url=f"/v1/runs/{record.id}/events",
        question=record.request.question,
        model=record.request.model,
        conversation_id=record.request.conversation_id,
        created_at=record.created_at,
        ended_at=record.ended_at,
        expires_at=record.expires_at,
        answer=record.answer,
        receipt=record.receipt,
        failure=record.failure,
        approvals=record.approvals,
    )
