"""`plinth models`: which models and routes the caller may name; `breakeven`: when hosting one is cheaper."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import typer

from client.commands.choices import AsJson, EnvironmentName, output
from client.comparison import ASSUMED, Comparison
from client.display import figures_table, models_table
from client.environments import LOCAL, environment_named
from client.errors import UsageError
from plinth.contracts.models import Usage
from plinth.money.prices import UnpricedInstanceError, UnpricedModelError, hourly_price_of, price_of

app = typer.Typer()
group = typer.Typer(invoke_without_command=True)
app.add_typer(group, name="models")


@group.callback(epilog="Examples: plinth models | plinth models --json | jq -r '.[].id'")
def models(context: typer.Context, *, env: EnvironmentName = LOCAL, json: AsJson = False) -> None:
    """List the models and routes that your tier may use, with their limits and prices."""
    if context.invoked_subcommand is not None:
        return
    with environment_named(env).api() as api:
        found = api.models()
    if json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        output().print(models_table(found))
        dearest = max((each.summary_micro_usd or 0 for each in found), default=0)
        if dearest:
            output().print(f"\nfour older turns of a conversation are summed up for at most ${dearest / 1e6:.4f}")


@group.command(
    name="breakeven",
    epilog="Examples: plinth models breakeven | plinth models breakeven --against claude-sonnet-5-5 "
    "--tokens-per-second 900",
)
def compare(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    model: Annotated[str, typer.Option(help="The self-hosted model.")] = "plinth-gpu",
    against: Annotated[str, typer.Option(help="The API model.")] = "claude-haiku-5-5",
    instance: Annotated[str, typer.Option(help="What the self-hosted model runs on.")] = "ml.g6.xlarge",
    tokens_per_second: Annotated[
        float | None,
        typer.Option(min=0.001, help="What one instance writes over all its requests; no default, measure it."),
    ] = None,
    input_tokens: Annotated[int, typer.Option(min=0, help="Tokens in a prompt.")] = 1500,
    output_tokens: Annotated[int, typer.Option(min=1, help="Tokens in an answer.")] = 300,
    json: AsJson = False,
) -> None:
    """Say at which load hosting a model is cheaper than an API model, and with which figures. Needs no stack."""
    try:
        comparison = Comparison(
            own=price_of(model),
            api=price_of(against),
            instance=hourly_price_of(instance),
            request=Usage(input_tokens=input_tokens, output_tokens=output_tokens),
            tokens_per_second=tokens_per_second,
        )
    except (UnpricedModelError, UnpricedInstanceError) as error:
        raise UsageError(str(error)) from error
    if json:
        typer.echo(msgspec.json.encode(_as_json(comparison)).decode())
        return
    console = output()
    console.print(figures_table(comparison.figures))
    for line in ("", *comparison.conclusions, f"Assumed: {'; '.join(ASSUMED)}."):
        console.print(line, markup=False, soft_wrap=True)


def _as_json(comparison: Comparison) -> dict[str, object]:
    full = comparison.saturation
    return {
        **asdict(comparison),
        "breakeven": asdict(comparison.breakeven),
        "saturation": asdict(full) if full else None,
        "assumed": ASSUMED,
    }
