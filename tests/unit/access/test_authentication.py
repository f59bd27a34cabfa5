"""Authentication: one way in, checked before any look-up, the same answer for every key that is not in force."""

import pytest

from plinth.access.authentication import Caller, Scope, authenticate
from plinth.access.keys import ApiKey, make_key
from plinth.contracts.access import KeyRecord
from plinth.errors import MissingScopeError, UnauthenticatedError
from tests.fakes.tenants import FakeTenants
from tests.unit.access.world import ALICE, TIER, World


class CountingTenants(FakeTenants):
    """Remembers which keys were looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_up: list[str] = []

    def key(self, key_id: str) -> KeyRecord | None:
        self.looked_up.append(key_id)
        return super().key(key_id)


def caller_of(world: World, headers: dict[str, str]) -> Caller:
    return authenticate(headers, world.tenants, environment="test", now=world.clock.now())


def bearer(key: ApiKey) -> dict[str, str]:
    return {"authorization": f"Bearer {key.text}"}


@pytest.mark.parametrize("header", ["bearer", "Bearer", "x-api-key"])
def test_a_key_in_either_header_names_its_tenant_user_and_tier(header: str) -> None:
    world = World()
    key = world.issue(ALICE)
    headers = {"x-api-key": key.text} if header == "x-api-key" else {"authorization": f"{header} {key.text}"}

    caller = caller_of(world, headers)

    assert (caller.tenant, caller.user, caller.tier) == (ALICE, "someone", TIER)


@pytest.mark.parametrize(
    "text", ["", "nonsense", make_key("test").text[:-1] + "x", "pl_test_" + "é" * 20, make_key("other").text]
)
def test_a_key_of_wrong_form_or_environment_is_refused_before_any_look_up(text: str) -> None:
    tenants = CountingTenants()

    with pytest.raises(UnauthenticatedError):
        authenticate({"x-api-key": text}, tenants, environment="test", now=0.0)

    assert tenants.looked_up == []


def test_unknown_wrong_and_expired_keys_get_the_same_answer() -> None:
    world = World()
    known = world.issue()
    expired = world.issue(expires_at=world.clock.now())
    wrong_secret = ApiKey(environment="test", id=known.id, secret=make_key("test").secret)

    answers = set()
    for key in (make_key("test"), wrong_secret, expired):
        with pytest.raises(UnauthenticatedError) as refused:
            caller_of(world, bearer(key))
        answers.add(str(refused.value))

    assert len(answers) == 1


def test_a_key_works_until_the_moment_it_expires() -> None:
    world = World()
    key = world.issue(expires_at=world.clock.now() + 1)
    caller_of(world, bearer(key))

    world.clock.advance(1)

    with pytest.raises(UnauthenticatedError):
        caller_of(world, bearer(key))


def test_a_key_of_a_removed_tenant_is_refused() -> None:
    world = World()
    key = world.issue()
    world.tenants.tiers.clear()

    with pytest.raises(UnauthenticatedError):
        caller_of(world, bearer(key))


def test_a_key_is_refused_what_its_scopes_leave_out() -> None:
    world = World()
    caller = caller_of(world, bearer(world.issue(scopes=("runs:read",))))

    caller.require(Scope.RUNS_READ)
    with pytest.raises(MissingScopeError, match="runs:write"):
        caller.require(Scope.RUNS_WRITE)
