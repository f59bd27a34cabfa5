"""What contexts will cost: told before anything is sent, and agreed to by whoever pays."""

from collections.abc import Sequence
from functools import partial

import typer

from client.api import PlinthApi
from client.commands.choices import output
from client.display import dollars
from client.errors import UsageError
from client.importing import ImportOptions, Listed, asked_for
from client.uploading import patiently

_MICRO = 1_000_000


def micro_usd(amount: float | None) -> int | None:
    """Return dollars in whole micro-dollars."""
    return None if amount is None else round(amount * _MICRO)


def agree_on_contexts(api: PlinthApi, lots: Sequence[Sequence[Listed]], options: ImportOptions, *, yes: bool) -> None:
    """Tell what the contexts of all lots will cost, and ask, unless the caller agreed beforehand.

    Raises `UsageError` where it may be more than `--max-cost`, and ends the command where the answer is no.
    """
    most = options.max_context_cost_micro_usd
    told = [patiently(partial(api.price_contexts, asked_for(lot, options))) for lot in lots]
    expected_all = sum(each.expected_micro_usd for each in told if each)
    most_all = sum(each.most_micro_usd for each in told if each)
    amounts = f"contexts by {options.context_model}: about {dollars(expected_all)}, at most {dollars(most_all)}"
    output().print(amounts, markup=False)
    if most is not None and most_all > most:
        raise UsageError(f"{amounts}, more than --max-cost {dollars(most)}: raise it or take fewer files")
    if most_all and most is None and not yes:
        typer.confirm("write them?", abort=True)
