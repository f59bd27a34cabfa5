"""How a model call is paid for: the most that it can cost is set aside before it, and its bill settled after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from plinth.access.log_lines import logger_of
from plinth.contracts.money import Budget, Reservation
from plinth.contracts.runs import ANSWERING, Run
from plinth.errors import TransientError
from plinth.money.prices import price_of
from plinth.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The money of one model call; `reservation` is None where no budget has a limit, or the call is free."""

    services: Services
    reservation: Reservation | None

    def start(self) -> bool:
        """Return whether this caller may make the call; nobody else ever may."""
        return self.reservation is None or self.services.ledger.start(self.reservation)

    def settle(self, cost_micro_usd: int) -> None:
        """Spend what the call cost. What can't be written now is charged whole by the sweep: the answer goes on."""
        if self.reservation is None:
            return
        try:
            self.services.ledger.settle(self.reservation, cost_micro_usd=cost_micro_usd)
        except TransientError as error:
            logger_of(self.reservation.step).warning("not settled", run_id=self.reservation.run.id, error=str(error))


def reservation_of_call(
    run: Run, model: str, *, amount_micro_usd: int, attempt: int, step: str = ANSWERING
) -> Reservation:
    """Return what a call of a catalogue model asks of the budgets: `amount_micro_usd`, by its price of now."""
    price = msgspec.json.encode(price_of(model)).decode()
    return Reservation(run=run, step=step, attempt=attempt, amount_micro_usd=amount_micro_usd, model=model, price=price)


def set_aside(call: Reservation, budgets: Sequence[Budget], services: Services) -> Payment:
    """Set the call's amount aside in every budget, or raise `BudgetExceededError` and take nothing.

    A store that fails raises `StoreUnavailableError`, and the step may be repeated: it is set aside once.
    """
    if not budgets or not call.amount_micro_usd:
        return Payment(services=services, reservation=None)
    return Payment(services=services, reservation=services.ledger.reserve(call, budgets))
