"""What a person sees of a run's steps on a terminal."""

from rich.console import Console

from client.waterfall import told, waterfall
from plinth.contracts.events import StepEnded, StepTried
from plinth.tracing.waterfall import steps_of


def shown(*steps: StepEnded | StepTried) -> list[str]:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(waterfall(steps_of((1, each) for each in steps)))
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


def test_a_failed_try_has_a_line_above_its_step_with_its_reason() -> None:
    tried = StepTried(
        step="ClaimRun", started_at=10.0, duration_ms=20.0, outcome="StoreUnavailableError", entered_at=10
    )
    ended = StepEnded(step="ClaimRun", started_at=11.0, duration_ms=20.0, entered_at=10.0, retry=1)

    _, above, step = shown(tried, ended)

    assert above.split()[:3] == ["try", "1", "(StoreUnavailableError)"]
    assert step.split()[:3] == ["ClaimRun", "1000", "20"]


def test_tries_that_left_no_word_are_counted_and_waiting_is_drawn_apart_from_work() -> None:
    _, above, step = shown(StepEnded(step="ClaimRun", started_at=12.0, duration_ms=2000.0, entered_at=10.0, retry=2))

    assert "2 more tries left no word" in above
    assert "█" in step


def test_a_model_call_is_told_with_its_tokens_and_its_cost() -> None:
    details = {"model": "m", "input_tokens": 120, "cached_input_tokens": 100, "output_tokens": 3, "cost_micro_usd": 12}

    assert told({"turn": 2, **details, "estimated": False}) == "m, 220 in (100 cached), 3 out, $0.000012, turn 2"
    assert told({"turn": 1, "attempt": 1, **details}) == "m, 220 in (100 cached), 3 out, $0.000012"
    assert told({**details, "estimated": True, "reason": "model_silent"}).endswith(
        "at most $0.000012, reason model_silent"
    )


def test_every_line_of_times_fits_a_terminal_of_80_columns() -> None:
    tried = StepTried(
        step="RetrieveContext", started_at=10.0, duration_ms=20.0, outcome="MemoryUnavailableError", entered_at=10.0
    )
    said = {
        "model": "claude-haiku-5-5",
        "output_tokens": 3,
        "reason": "model_stream_cut",
        "wait_seconds": 2.5,
        "turn": 3,
    }
    lines = shown(tried, StepEnded(step="CallModel", started_at=99.0, duration_ms=9e4, details=said))

    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("    claude-haiku-5-5, 0 in, 3 out") for line in lines)


def test_a_step_can_not_steer_the_terminal() -> None:
    assert told({"tool": "x\x1b[2J"}) == "tool x[2J"
