"""What an environment costs a month while nobody uses it: the lines of its templates, what is free, what has no price.

Deployed and left alone: no request, no document, no log line. What it costs to use is on the receipts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from client.standing_prices import StandingPrice, standing_price, standing_prices
from client.standing_resources import Free, Resource, Standing, Unknown, standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Equal items of a stack: `count` resources, together `units` of the price. Amounts are per month, rounded up."""

    stack: str
    item: str
    note: str
    count: int
    units: float
    price: StandingPrice

    @property
    def micro_usd(self) -> int:
        """Micro-dollars a month."""
        return -int(-self.units * self.price.per_month // 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Resources of one type, with what is to be said of them all."""

    type: str
    count: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleBill:
    """The whole bill of an environment; `free` and `not_priced` have no line."""

    environment: str
    region: str
    lines: tuple[Line, ...]
    free: tuple[Kind, ...]
    not_priced: tuple[Kind, ...]

    @property
    def micro_usd_a_month(self) -> int:
        """The sum of the lines: the whole only where nothing is without a price."""
        return sum(line.micro_usd for line in self.lines)


def idle_bill(environment: str, templates: Mapping[str, Mapping[str, Resource]]) -> IdleBill:
    """Return the bill of these resources, given by stack and logical id."""
    tally = _Tally()
    for stack, resources in templates.items():
        for resource in resources.values():
            for found in standing(resource, beside=resources):
                tally.add(stack, resource["Type"], found)
    return IdleBill(
        environment=environment,
        region=standing_prices().region,
        lines=tally.lines(),
        free=_kinds(tally.free),
        not_priced=_kinds(tally.not_priced),
    )


class _Tally:
    def __init__(self) -> None:
        self.free: list[tuple[str, str]] = []
        self.not_priced: list[tuple[str, str]] = []
        self._standing: dict[tuple[str, str, str], list[float]] = {}

    def add(self, stack: str, kind: str, found: Standing | Free | Unknown) -> None:
        match found:
            case Free(note=note):
                self.free.append((kind, note))
            case Unknown(why=why):
                self.not_priced.append((kind, why))
            case Standing(item=item, units=units, note=note) if standing_price(item):
                self._standing.setdefault((stack, item, note), []).append(units)
            case Standing(item=item):
                self.not_priced.append((kind, f"no price of {item}"))

    def lines(self) -> tuple[Line, ...]:
        return tuple(
            Line(stack=stack, item=item, note=note, count=len(units), units=sum(units), price=price)
            for (stack, item, note), units in self._standing.items()
            if (price := standing_price(item))
        )


def _kinds(found: Iterable[tuple[str, str]]) -> tuple[Kind, ...]:
    counts: dict[tuple[str, str], int] = {}
    for each in found:
        counts[each] = counts.get(each, 0) + 1
    return tuple(Kind(type=kind, note=note, count=count) for (kind, note), count in sorted(counts.items()))
