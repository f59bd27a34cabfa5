"""What a person sees of a run."""

from rich.console import Console

from client.display import usage_table
from plinth.money.usage import UsageLine


def usage_shown(by: str) -> list[list[str]]:
    console = Console(width=150)
    line = UsageLine(name="x\x1b[2J", runs=2, failed_runs=1, calls=3, input_tokens=1000, model_cost_micro_usd=250_000)
    with console.capture() as captured:
        console.print(usage_table([line], UsageLine(name="total"), by=by))
    return [line.split() for line in captured.get().splitlines()]


def test_usage_is_shown_in_the_columns_that_its_lines_have() -> None:
    assert usage_shown("day")[1] == ["x[2J", "2", "1", "0", "1,000", "0", "0.250000", "0.000000", "0.000000"]
    assert usage_shown("tenant")[0] == ["tenant", *usage_shown("user")[0][1:]]
    assert usage_shown("model")[1] == ["x[2J", "3", "1,000", "0", "0.250000"]
    assert usage_shown("step")[0] == ["step", "calls", "$", "models", "$", "platform"]
