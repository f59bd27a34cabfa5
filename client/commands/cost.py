"""`plinth cost`: what an environment costs a month while nobody uses it, before anything is deployed."""

import msgspec
import typer

from client.commands.choices import AsJson, EnvironmentName, output
from client.environments import LOCAL
from client.idle_bill import IdleBill, Line, idle_bill
from client.templates import templates_of

app = typer.Typer()
_ON_THIS_MACHINE = "It runs on this machine and costs nothing: this is what its templates would cost on AWS."


@app.command(epilog="Examples: plinth cost --env prod | plinth cost --env dev --json | jq .micro_usd_a_month")
def cost(*, env: EnvironmentName = LOCAL, json: AsJson = False) -> None:
    """Print the idle monthly bill of an environment from its templates. Needs no stack, no account and no network."""
    bill = idle_bill(env, templates_of(env))
    if json:
        typer.echo(msgspec.json.encode(_as_json(bill)).decode())
        return
    console = output()
    for line in (*map(line_text, bill.lines), *conclusions(bill)):
        console.print(line, markup=False, soft_wrap=True)


def conclusions(bill: IdleBill) -> list[str]:
    """Return the sum, what has no price, what is free, and where the prices are from, in sentences."""
    least = "at least " if bill.not_priced else ""
    free = [f"  {each.count} x {each.type}: {each.note}" for each in bill.free if each.note]
    silent = sum(each.count for each in bill.free if not each.note)
    dates = sorted({line.price.as_of for line in bill.lines})
    unsure = sum(line.price.confidence == "from memory" for line in bill.lines)
    return [
        "",
        f"{bill.environment}, idle: {least}{_dollars(bill.micro_usd_a_month)} a month",
        *(f"  not priced: {each.count} x {each.type} ({each.note})" for each in bill.not_priced),
        *([_ON_THIS_MACHINE] if bill.environment == LOCAL else []),
        "",
        "Free while idle, billed by use:",
        *free,
        f"  {silent} other resources (roles, policies, routes ...) are never billed",
        "",
        f"List prices of {bill.region}, as of {dates[0] if dates else '-'} to {dates[-1] if dates else '-'}; "
        f"{unsure} of {len(bill.lines)} lines rest on a price from memory: check those before use. "
        "730 hours a month, without free tiers, taxes and discounts; sources: --json.",
    ]


def line_text(line: Line) -> str:
    """Return one line of the bill: dollars a month, stack, how many of what, and its price."""
    what = f"{line.units:g} x {line.item}{f' ({line.note})' if line.note else ''}"
    price = f"${line.price.micro_usd / 1_000_000:.6f}".rstrip("0")
    price += "0" * max(0, 2 - len(price.partition(".")[2]))
    return f"{_dollars(line.micro_usd):>10}  {line.stack}: {what}, {price} per {line.price.unit}"


def _as_json(bill: IdleBill) -> dict[str, object]:
    return {
        **msgspec.to_builtins(bill),
        "lines": [{**msgspec.to_builtins(line), "micro_usd": line.micro_usd} for line in bill.lines],
        "micro_usd_a_month": bill.micro_usd_a_month,
        "at_least": bool(bill.not_priced),
    }


def _dollars(micro_usd: int) -> str:
    return f"${micro_usd / 1_000_000:,.4g}" if 0 < micro_usd < 10_000 else f"${micro_usd / 1_000_000:,.2f}"
