"""Which budgets a run's model calls are paid from."""

from plinth.contracts.access import Allowance, Allowances
from plinth.contracts.money import Budget, Scope, ScopeKind
from plinth.contracts.runs import RunRequest
from plinth.contracts.tenant import Tenant


def budgets_of(tenant: Tenant, asked: RunRequest) -> tuple[Budget, ...]:
    """Return the budgets that have a limit: of the tenant, of the user who asked, and of the key that was used."""
    return limited_budgets(tenant, asked.budgets, user=asked.user, key_id=asked.key_id)


def limited_budgets(tenant: Tenant, allowed: Allowances, *, user: str, key_id: str) -> tuple[Budget, ...]:
    """Return the same for whoever pays, without a user or a key where these are empty."""
    scopes = {Scope(tenant=tenant, kind=ScopeKind.TENANT): allowed.tenant}
    if user:
        scopes[Scope(tenant=tenant, kind=ScopeKind.USER, name=user)] = allowed.user
    if key_id:
        scopes[Scope(tenant=tenant, kind=ScopeKind.KEY, name=key_id)] = allowed.key
    budgets = (_budget(scope, allowance, allowed.revision) for scope, allowance in scopes.items())
    return tuple(budget for budget in budgets if budget.limited)


def _budget(scope: Scope, allowance: Allowance, revision: int) -> Budget:
    return Budget(
        scope=scope,
        revision=revision,
        day_micro_usd=allowance.day_micro_usd,
        month_micro_usd=allowance.month_micro_usd,
    )
