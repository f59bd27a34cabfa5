"""What a person sees of a run."""

from rich.console import Console

from client.display import steps_table
from plinth.contracts.events import StepEnded


def shown(*steps: StepEnded) -> list[str]:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(steps_table(steps))
    return captured.get().splitlines()


def test_a_run_without_steps_says_so() -> None:
    assert [line.strip() for line in shown()] == ["no step ran: the run ended as it was accepted"]


def test_each_step_has_a_line_in_the_order_of_its_start() -> None:
    later = StepEnded(step="CallModel", started_at=11.0, duration_ms=900.0, cold=True)
    first = StepEnded(step="ClaimRun", started_at=10.0, duration_ms=20.0)

    head, *lines = [line.split()[:4] for line in shown(later, first)]

    assert head == ["step", "start", "ms", "took"]
    assert lines[0][:3] == ["ClaimRun", "0", "20"]
    assert lines[1] == ["CallModel", "(cold)", "1000", "900"]
