"""How a question finds the answer of an earlier one, the same or worded otherwise, and is kept for later ones."""

from plinth.chain.caching import answer_key, is_near
from plinth.contracts.access import CachePolicy
from plinth.contracts.questions import KeptQuestion, QuestionVector
from plinth.contracts.runs import CachedAnswer, Run, RunRequest
from plinth.contracts.tenant import Tenant
from plinth.errors import TransientError
from plinth.wiring import Services

_VECTOR = "question_vector"  # RetrieveContext makes it with the run: a question is embedded once


def answer_at_once(tenant: Tenant, asked: RunRequest, services: Services) -> CachedAnswer | None:
    """Return the answer of the very question, for which no machine need start; never within a conversation.

    A store that fails has no answer: the machine looks again.
    """
    if asked.cache is CachePolicy.OFF or asked.conversation_id is not None:
        return None
    try:
        corpus_version = services.documents.corpus_version(tenant)
        return services.answers.get(tenant, answer_key(asked, corpus_version=corpus_version, conversation=""))
    except TransientError:
        return None


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
