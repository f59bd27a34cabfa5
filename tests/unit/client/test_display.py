"""What a person sees of a run."""

from rich.console import Console

from client.display import steps_table, usage_table
from plinth.contracts.events import StepEnded
from plinth.money.usage import UsageLine


def shown(*steps: StepEnded) -> list[str]:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(steps_table(steps))
    return captured.get().splitlines()


def test_each_step_has_a_line_in_the_order_of_its_start() -> None:
    later = StepEnded(step="CallModel", started_at=11.0, duration_ms=900.0, cold=True)
    first = StepEnded(step="ClaimRun", started_at=10.0, duration_ms=20.0)

    head, *lines = [line.split()[:4] for line in shown(later, first)]

    assert head == ["step", "start", "ms", "took"]
    assert lines[0][:3] == ["ClaimRun", "0", "20"]
    assert lines[1] == ["CallModel", "(cold)", "1000", "900"]


def test_a_log_without_steps_has_only_the_head() -> None:
    assert len(shown()) == 1


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
    assert usage_shown("step")[0] == ["step", "calls", "$", "platform"]
