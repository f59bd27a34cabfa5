"""How samples become a figure."""

from bench.figures import Figure, cpu_ms, in_turns, wall_ms


def test_the_ratio_compares_each_sample_with_the_reference_measured_next_to_it(figure: Figure) -> None:
    assert figure.value == 30.0
    assert figure.ratio == 10.0


def test_a_goal_is_an_upper_or_a_lower_bound(figure: Figure) -> None:
    at_most, at_least = figure.goals

    assert at_most.met
    assert not at_least.met


def test_subject_and_reference_take_turns_and_the_first_turn_is_not_counted() -> None:
    turns: list[str] = []

    def subject() -> float:
        turns.append("subject")
        return float(len(turns))

    def reference() -> float:
        turns.append("reference")
        return float(len(turns))

    samples, references = in_turns(subject, reference, times=2)

    assert turns == ["subject", "reference"] * 3
    assert (samples, references) == ((3.0, 5.0), (4.0, 6.0))


def test_time_is_counted_by_the_clock_that_was_asked_for() -> None:
    calls: list[None] = []

    for sampler in (cpu_ms, wall_ms):
        assert sampler(lambda: calls.append(None))() >= 0

    assert len(calls) == 2
