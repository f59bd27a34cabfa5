"""How a question worded otherwise finds the answer of an earlier one, and how it is kept for later ones."""

from plinth.chain.caching import is_near
from plinth.contracts.runs import CachedAnswer, KeptQuestion, QuestionVector, Run
from plinth.wiring import Services

_VECTOR = "question_vector"  # RetrieveContext makes it with the run: a question is embedded once


def near_answer(run: Run, near_key: str, services: Services) -> CachedAnswer | None:
    """Return the answer of the kept question of this form, if the two are near."""
    kept = services.answers.kept_question(run.tenant, near_key)
    if kept is None or not is_near(services.runs.get_content(run, _VECTOR, QuestionVector), kept):
        return None
    return services.answers.get(run.tenant, kept.answer_key)


def keep_question(run: Run, near_key: str, answer_key: str, services: Services) -> None:
    """Let questions of this form find the answer under `answer_key`."""
    vector = services.runs.get_content(run, _VECTOR, QuestionVector)
    services.answers.keep_question(run.tenant, near_key, KeptQuestion(vector=vector, answer_key=answer_key))
