"""A policy by tenant, evaluated on every request that routes, stores and an export send for one of two tenants."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import boto3
import opensearchpy
import pytest

from plinth.contracts.tenant import Tenant
from plinth.errors import PlinthError
from tests.contract.adapters.leading_keys import Sent, refusal
from tests.contract.adapters.test_two_tenants import MUTANTS, _asked
from tests.contract.adapters.two_tenants import RUN, Two

pytestmark = pytest.mark.guarantee_e

EXCEPTIONS = {
    "dynamodb GetItem: KEY#": "a key is found by its own id, before anybody knows whose it is",
    "dynamodb GetItem: ERASURE#": "an erasure outlives its tenant's row; its tenant is looked at after it was read",
    "dynamodb TransactWriteItems: ERASURE#": "the same row, as it begins",
    "dynamodb Scan: names no key": "an export reads tables whole, page by page, and drops what is not the tenant's",
}
"""Requests that a policy by tenant would refuse, and why they are sent. Sweeps and erasures have roles of their own."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """Record every request of the clients that are made from now on."""
    found: list[Sent] = []
    session = boto3.Session()

    def note(params: Mapping[str, Any], model: Any, **_: object) -> None:
        found.append(Sent(service=model.service_model.service_name, call=model.name, params=params))

    for service in ("dynamodb", "s3"):
        session.events.register(f"provide-client-params.{service}", note)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    perform = opensearchpy.Transport.perform_request

    def performed(self: Any, method: str, url: str, *given: Any, body: Any = None, **options: Any) -> Any:
        if not url.endswith("_refresh"):
            found.append(Sent(service="opensearch", call=f"{method} {url}", params={"body": body or {}}))
        return perform(self, method, url, *given, body=body, **options)

    monkeypatch.setattr(opensearchpy.Transport, "perform_request", performed)
    return found


def refused(tenant: Tenant, sent: list[Sent]) -> set[str]:
    """Return what the policy refuses but for the exceptions."""
    found = {told for each in sent if (told := refusal(tenant, each))}
    return {told for told in found if not told.startswith(tuple(EXCEPTIONS))}


@pytest.fixture
def recorded(sent: list[Sent], two: Two) -> Two:
    """Return the two tenants, with no request recorded yet."""
    sent.clear()
    return two


def test_every_request_for_a_tenant_keeps_to_its_keys_or_is_an_exception_with_a_reason(
    sent: list[Sent], recorded: Two
) -> None:
    two = recorded
    _asked(two)
    two.furnish(two.asking, run_id="run_" + "c" * 26, words="peaches are sour", copies=2)

    assert {each.service for each in sent} == {"dynamodb", "s3", "opensearch"}
    assert refused(two.asking, sent) == set()
    told = [refusal(two.asking, each) or "" for each in sent]
    assert [name for name in EXCEPTIONS if not any(each.startswith(name) for each in told)] == []


def test_a_request_for_another_tenants_key_is_refused(sent: list[Sent], recorded: Two) -> None:
    two = recorded
    two.furnish(two.other, run_id=RUN, words="peaches are sweet", copies=1)

    by_service = {told.split()[0] for told in refused(two.asking, sent)}

    assert by_service == {"dynamodb", "s3", "opensearch"}


@pytest.mark.parametrize("place", sorted(set(MUTANTS) - {"plinth.api.erasures.require_own"}))
def test_a_key_without_its_tenant_is_refused(
    sent: list[Sent], recorded: Two, monkeypatch: pytest.MonkeyPatch, search_requests: set[str], place: str
) -> None:
    if place.endswith("is_own"):
        pytest.skip("what is dropped after a scan is no key: the matrix looks at it")
    two = recorded
    two.end_erasures(two.asking)
    monkeypatch.setattr(place, MUTANTS[place])

    with suppress(PlinthError):  # some can't even write
        two.furnish(two.asking, run_id="run_" + "c" * 26, words="peaches are sour", copies=1)
        _asked(two)

    search_requests.clear()  # a mutant's are compared on no backend
    assert refused(two.asking, sent)
