"""The contract of `AnswerCache`, held by the fake and by DynamoDB."""

from dataclasses import replace

import pytest

from plinth.adapters.dynamo_answers import DynamoAnswers
from plinth.contracts.questions import KeptQuestion, QuestionVector
from plinth.contracts.runs import Answer, CachedAnswer, Citation
from plinth.contracts.tenant import Tenant
from plinth.ports.runs import AnswerCache
from tests.fakes.answers import FakeAnswers
from tests.fakes.clock import FakeClock

CITATION = Citation(marker=1, document_id="doc_a", name="a.txt", title="A", text="Because.", page=3)
ANSWER = Answer(text="Because [1].", citations=(CITATION,), stop_reason="end", model="small")
CACHED = CachedAnswer(answer=ANSWER, cost_micro_usd=7, saved_at=1.5)
KEPT = KeptQuestion(vector=QuestionVector(model="mini", halves=bytes(range(256)) * 3), answer_key="key")


@pytest.fixture(params=["fake", "dynamodb"])
def answers(request: pytest.FixtureRequest, clock: FakeClock) -> AnswerCache:
    if request.param == "fake":
        return FakeAnswers(clock)
    return DynamoAnswers(table=request.getfixturevalue("table"), clock=clock)


def test_an_answer_is_found_under_its_key_until_another_replaces_it(answers: AnswerCache, tenant: Tenant) -> None:
    answers.put(tenant, "key", CACHED)
    assert answers.get(tenant, "key") == CACHED

    answers.put(tenant, "key", replace(CACHED, cost_micro_usd=8))
    assert answers.get(tenant, "key") == replace(CACHED, cost_micro_usd=8)
    assert answers.get(tenant, "other") is None


@pytest.mark.guarantee_g
def test_an_expired_answer_is_a_miss_though_the_store_still_has_it(
    answers: AnswerCache, tenant: Tenant, clock: FakeClock
) -> None:
    answers.put(tenant, "key", CACHED)

    clock.advance(86_400 - 1)
    assert answers.get(tenant, "key") == CACHED
    clock.advance(1)
    assert answers.get(tenant, "key") is None


@pytest.mark.guarantee_g
def test_an_answer_of_another_tenant_is_a_miss(answers: AnswerCache, tenant: Tenant, other_tenant: Tenant) -> None:
    answers.put(tenant, "key", CACHED)

    assert answers.get(other_tenant, "key") is None


def test_a_question_is_found_under_its_form_until_another_replaces_it(answers: AnswerCache, tenant: Tenant) -> None:
    answers.keep_question(tenant, "form", KEPT)
    assert answers.kept_question(tenant, "form") == KEPT

    answers.keep_question(tenant, "form", replace(KEPT, answer_key="later"))
    assert answers.kept_question(tenant, "form") == replace(KEPT, answer_key="later")
    assert answers.kept_question(tenant, "key") is None
    assert answers.get(tenant, "form") is None


@pytest.mark.guarantee_g
def test_a_question_expires_with_its_answer_and_is_of_one_tenant(
    answers: AnswerCache, tenant: Tenant, other_tenant: Tenant, clock: FakeClock
) -> None:
    answers.keep_question(tenant, "form", KEPT)

    assert answers.kept_question(other_tenant, "form") is None
    clock.advance(86_400 - 1)
    assert answers.kept_question(tenant, "form") == KEPT
    clock.advance(1)
    assert answers.kept_question(tenant, "form") is None
