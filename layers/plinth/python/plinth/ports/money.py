"""What may be spent."""

from collections.abc import Sequence
from typing import Protocol

from plinth.contracts.money import Budget, BudgetLeft, Reservation, StartedCall, Swept
from plinth.contracts.runs import Run


class Ledger(Protocol):
    """Budgets that are never overspent: money is set aside before a model call and settled after it.

    Any method may raise `StoreUnavailableError` and be repeated; what was done already is not done again.
    """

    def reserve(self, asked: Reservation, budgets: Sequence[Budget]) -> Reservation:
        """Set the amount aside in every budget or none, once per (run id, epoch, step, attempt); return it reserved.

        `BudgetExceededError` where a budget has less left.
        """
        ...

    def start(self, reservation: Reservation) -> bool:
        """Return whether this caller may make the call; it is True for one caller, and only before the sweep."""
        ...

    def settle(self, reservation: Reservation, *, cost_micro_usd: int) -> None:
        """Spend what a started call cost and give back the rest; late, after the sweep charged it, too."""
        ...

    def release(self, reservation: Reservation) -> None:
        """Give back the amount of a reservation that was not started."""
        ...

    def sweep(self, *, limit: int) -> Swept:
        """End at most about `limit` reservations whose time is over: give back, or charge what was started."""
        ...

    def started(self, run: Run) -> list[StartedCall]:
        """Return the run's calls that were started, in order, as the books have them now."""
        ...

    def left(self, budgets: Sequence[Budget]) -> list[BudgetLeft]:
        """Return how the budgets stand, in order; for showing, since only `reserve` decides."""
        ...
