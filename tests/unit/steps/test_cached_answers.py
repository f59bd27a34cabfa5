"""Which runs are given an earlier answer, by the policy of their tier and the distance of their questions."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from client.answers import collect
from plinth.contracts.access import CachePolicy
from plinth.contracts.events import TextDelta
from plinth.contracts.models import StopReason
from plinth.contracts.runs import CacheMatch, Receipt, Run
from tests.fakes.models import FakeModel, whole
from tests.unit.steps.conftest import TENANT, ChainServices
from tests.unit.steps.test_answering import answer, remember_document

pytestmark = pytest.mark.guarantee_g
Call = Callable[..., dict[str, Any]]
Accept = Callable[..., Run]
ASKED, REWORDED, NEGATED = "How do I purge a package?", "how to purge packages", "How do I not purge a package?"


class OneVector:
    """`Embedder` to which all texts mean the same: what a static threshold alone would see."""

    def __init__(self, model_id: str = "one", axis: int = 0) -> None:
        self.model_id = model_id
        self.vector = [float(place == axis) for place in range(8)]

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.vector for _ in texts]


@pytest.fixture(autouse=True)
def scripted(services: ChainServices) -> None:
    services.embedder = OneVector()
    services.model = FakeModel((["First [1]."], whole()), (["Second."], whole()))


def receipt_of(services: ChainServices, run_id: str) -> Receipt:
    receipt = services.runs.get(TENANT, run_id).receipt
    assert receipt is not None
    return receipt


@pytest.mark.parametrize(
    ("policy", "matches"),
    [
        (CachePolicy.OFF, (None, None, None)),
        (CachePolicy.EXACT, (CacheMatch.EXACT, None, None)),
        (CachePolicy.SEMANTIC, (CacheMatch.EXACT, CacheMatch.SEMANTIC, None)),
    ],
)
def test_the_policy_of_the_tier_decides_which_answers_are_given_again(
    services: ChainServices, call: Call, accept: Accept, policy: CachePolicy, matches: tuple[CacheMatch | None, ...]
) -> None:
    services.model = FakeModel(*[(["Yes."], whole()) for _ in range(4)])
    answer(services, call, accept(ASKED, cache=policy))

    for run_id, question in zip(("run_2", "run_3", "run_4"), (ASKED, REWORDED, NEGATED), strict=True):
        answer(services, call, accept(question, run_id=run_id, cache=policy))

    receipts = [receipt_of(services, run_id) for run_id in ("run_2", "run_3", "run_4")]
    assert tuple(receipt.match for receipt in receipts) == matches
    assert [receipt.cached for receipt in receipts] == [match is not None for match in matches]


def test_a_cached_answer_carries_its_citations_its_age_and_what_it_saved(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    remember_document(services, "apt purge removes the configuration files too")
    answer(services, call, accept(ASKED, run_id="run_1", cache=CachePolicy.SEMANTIC))
    services.time.advance(90)

    answer(services, call, accept(REWORDED, run_id="run_2", cache=CachePolicy.SEMANTIC))

    first, second = (services.runs.get(TENANT, run_id) for run_id in ("run_1", "run_2"))
    assert first.answer is not None
    assert second.answer == first.answer
    assert first.answer.citations
    receipt = receipt_of(services, "run_2")
    assert (receipt.age_seconds, receipt.saved_micro_usd, receipt.model_cost_micro_usd) == (90, 20, 0)


@pytest.mark.guarantee_a
def test_readers_of_a_lost_execution_s_text_are_given_the_cached_answer_in_its_place(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    answer(services, call, accept(ASKED, run_id="run_1", cache=CachePolicy.SEMANTIC))
    run = accept(REWORDED, run_id="run_2", cache=CachePolicy.SEMANTIC)
    services.run_log.append(run, [TextDelta(text="Half of a longer answ", attempt=1, offset=0)])

    answer(services, call, run)

    read = collect(services.run_log.read(TENANT, "run_2", after=0))
    assert (read.text, read.attempt) == ("First [1].", 2)
    assert read.ended is not None
    assert read.ended.text_length == len(read.text)


def test_a_question_that_lies_elsewhere_is_no_match_though_its_form_is_the_same(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    answer(services, call, accept("How do I get up?", run_id="run_1", cache=CachePolicy.SEMANTIC))
    services.embedder = OneVector(axis=1)

    answer(services, call, accept("How do I obtain up?", run_id="run_2", cache=CachePolicy.SEMANTIC))

    assert not receipt_of(services, "run_2").cached


def test_vectors_of_another_model_match_nothing(services: ChainServices, call: Call, accept: Accept) -> None:
    answer(services, call, accept(ASKED, run_id="run_1", cache=CachePolicy.SEMANTIC))
    services.embedder = OneVector(model_id="two")

    answer(services, call, accept(REWORDED, run_id="run_2", cache=CachePolicy.SEMANTIC))

    assert not receipt_of(services, "run_2").cached


def test_a_changed_corpus_makes_near_answers_stale(services: ChainServices, call: Call, accept: Accept) -> None:
    answer(services, call, accept(ASKED, run_id="run_1", cache=CachePolicy.SEMANTIC))
    remember_document(services, "apt purge does not")

    answer(services, call, accept(REWORDED, run_id="run_2", cache=CachePolicy.SEMANTIC))

    assert not receipt_of(services, "run_2").cached


def test_a_follow_up_neither_finds_nor_leaves_a_near_answer(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel(*[([f"Answer {count}."], whole()) for count in range(4)])
    talk = {"cache": CachePolicy.SEMANTIC, "conversation_id": "talk"}
    answer(services, call, accept("What is apt?", run_id="run_1", **talk))
    answer(services, call, accept(ASKED, run_id="run_2", **talk))

    answer(services, call, accept(REWORDED, run_id="run_3", cache=CachePolicy.SEMANTIC))
    answer(services, call, accept(REWORDED, run_id="run_4", **talk))

    assert not receipt_of(services, "run_3").cached
    assert not receipt_of(services, "run_4").cached


def test_an_answer_that_was_cut_is_not_found_by_a_near_question_either(
    services: ChainServices, call: Call, accept: Accept
) -> None:
    services.model = FakeModel((["Use"], whole(StopReason.MAX_TOKENS)), (["Use apt."], whole()))
    answer(services, call, accept(ASKED, run_id="run_1", cache=CachePolicy.SEMANTIC))

    answer(services, call, accept(REWORDED, run_id="run_2", cache=CachePolicy.SEMANTIC))

    assert not receipt_of(services, "run_2").cached
