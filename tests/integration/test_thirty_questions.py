"""What the default local model makes of the thirty questions over the samples: a gate, as `make bench` measures it."""

import pytest

from bench import answers


@pytest.mark.integration
def test_enough_of_thirty_questions_are_right_cited_or_abstained_from() -> None:
    judged = answers.answer_all(answers.questions())

    reached = {name: sum(answers.passed(judged, name)) for name in answers.LEAST}
    assert all(reached[name] >= least for name, least in answers.LEAST.items()), (reached, answers.missed(judged))
