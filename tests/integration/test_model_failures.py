"""Every way in which a model fails, as the API's client meets it: what it reads, and what it is charged.

The provider is scripted on loopback; everything between it and the client is the deployed stack. A case is played on
one model, or on a route whose next model is well. A cut is played at one place of each kind here, and at every byte
in tests/contract/models.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from client.answers import AnswerSoFar, collect
from client.api import Question
from plinth.contracts.events import LoggedEvent, Reset, TextDelta
from plinth.contracts.runs import Answer
from plinth.money.prices import cost_micro_usd, price_of
from tests.fakes.providers import ProviderServer
from tests.fakes.providers.certificates import self_signed_context
from tests.fakes.providers.scripts import OK_TEXT
from tests.integration.conftest import Deployed, close_breakers

pytestmark = [pytest.mark.integration, pytest.mark.guarantee_f]

WHOLE = "".join(OK_TEXT)
HAIKU, OLDER, LUNA = "claude-haiku-5-5", "claude-haiku-4-5", "gpt-6-luna"
FREE, BOUND, BILL = "free", "bound", "bill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a client has in the end, and how often the provider was called for it."""

    answer: Answer | None
    seen: AnswerSoFar
    logged: tuple[LoggedEvent, ...]
    calls: int
    billed_micro_usd: int

    @property
    def outcomes(self) -> list[str]:
        assert self.seen.receipt is not None
        return [call.outcome for call in self.seen.receipt.model_calls]

    def charged(self) -> list[str]:
        """Return what each call of the receipt was charged as."""
        assert self.seen.receipt is not None
        kinds = []
        for call in self.seen.receipt.model_calls:
            if call.estimated:
                assert call.cost_micro_usd == call.bound_micro_usd > 0
            kinds.append(BOUND if call.estimated else BILL if call.cost_micro_usd else FREE)
        return kinds


@pytest.fixture
def ask(deployed: Deployed, provider: ProviderServer) -> "Ask":
    return Ask(deployed, provider)


class Ask:
    """Plays plans to the deployed stack, from closed breakers."""

    def __init__(self, deployed: Deployed, provider: ProviderServer) -> None:
        self._deployed = deployed
        self._provider = provider

    def close_breakers(self) -> None:
        close_breakers(self._deployed)

    def __call__(self, plan: str, *, model: str = HAIKU, conversation_id: str | None = None) -> Told:
        """Ask a question that no cache knows, and follow its run to the end."""
        token = uuid4().hex
        with self._deployed.api() as api:
            question = f"When does it open? [[script:{plan}:{token}]]"
            run = api.create_run(Question(question=question, model=model, conversation_id=conversation_id))
            logged = tuple(api.events(run.id))
            ended = api.get_run(run.id)
        told = Told(
            answer=ended.answer,
            seen=collect(logged),
            logged=logged,
            calls=sum(call.token == token for call in self._provider.books.calls),
            billed_micro_usd=sum(
                cost_micro_usd(price_of(name), usage) for name, usage in self._provider.books.bills(token)
            ),
        )
        self.check_bill(told)
        return told

    def check_bill(self, told: Told) -> None:
        """Compare the receipt with the provider's own books: equal where each bill is known, never below."""
        receipt = told.seen.receipt
        assert receipt is not None
        assert receipt.model_cost_micro_usd == sum(call.cost_micro_usd for call in receipt.model_calls)
        if any(call.estimated for call in receipt.model_calls):
            assert told.billed_micro_usd <= receipt.model_cost_micro_usd
        else:
            assert told.billed_micro_usd == receipt.model_cost_micro_usd

    def together(self, plans: list[str], *, model: str = HAIKU) -> list[Told]:
        """Ask at most four at once, each group from closed breakers."""
        told: list[Told] = []
        for start in range(0, len(plans), 4):
            self.close_breakers()
            with ThreadPoolExecutor(4) as pool:
                told.extend(pool.map(lambda plan: self(plan, model=model), plans[start : start + 4]))
        return told


PASSING = {
    "429+ok": ("model_busy", FREE),
    "429@2+ok": ("model_busy", FREE),
    "busy_stall+ok": ("model_busy", FREE),
    "500+ok": ("model_unavailable", FREE),
    "502+ok": ("model_unavailable", FREE),
    "529+ok": ("model_busy", FREE),
    "401+ok": ("model_key_refused", FREE),
    "silent+ok": ("model_silent", BOUND),
    "slow_first+ok": ("model_silent", BOUND),
    "stall+ok": ("model_silent", BOUND),
    "drip+ok": ("model_silent", BOUND),
    "hang_up+ok": ("model_stream_cut", BOUND),
    "cut@0+ok": ("model_stream_cut", BOUND),  # a good status and nothing else
    "cut@120+ok": ("model_stream_cut", BOUND),  # within the first event
    "cut@700+ok": ("model_stream_cut", BOUND),  # within a text, after another
    "cut@852+ok": ("model_stream_cut", BOUND),  # after all text
    "cut@1130+ok": ("model_stream_cut", BILL),  # after the reason to stop and the bill, before the end
    "end@0+ok": ("model_stream_cut", BOUND),
    "end@720+ok": ("model_stream_cut", BOUND),  # between two texts
    "end@1124+ok": ("model_stream_cut", BILL),
    "error_first+ok": ("model_busy", FREE),
    "error_later+ok": ("model_stream_cut", BOUND),
    "garbled+ok": ("model_reply_invalid", BOUND),
    "wrong_type+ok": ("model_reply_invalid", BOUND),
    "oversized+ok": ("model_reply_invalid", BOUND),
    "empty+ok": ("model_reply_invalid", BILL),
    "tool+ok": ("model_reply_invalid", BILL),  # well formed, but nobody offered one
    "tool_cut+ok": ("model_reply_invalid", BILL),
    "tool_nan+ok": ("model_reply_invalid", BILL),
}


def test_a_failure_that_passes_costs_an_attempt_and_the_client_reads_one_whole_answer(ask: Ask) -> None:
    for plan, told in zip(PASSING, ask.together(list(PASSING)), strict=True):
        reason, charge = PASSING[plan]
        assert told.seen.ended is not None, plan
        assert (told.seen.ended.status, told.seen.text) == ("done", WHOLE), plan
        assert told.answer is not None, plan
        assert told.answer.text == WHOLE, plan
        assert (told.outcomes, told.charged(), told.calls) == ([reason, "complete"], [charge, BILL], 2), plan


ENDING = {
    "400": ("model_request_refused", 1, FREE),
    "too_long": ("model_context_exceeded", 1, FREE),
    "401": ("model_key_refused", 3, FREE),
    "429@9999": ("model_busy", 1, FREE),
    "500": ("model_unavailable", 3, FREE),
    "cut@700": ("model_stream_cut", 3, BOUND),
    "empty": ("model_reply_invalid", 3, BILL),
}


def test_a_failure_that_does_not_pass_ends_the_run_with_its_reason_after_at_most_three_calls(ask: Ask) -> None:
    for plan, (reason, calls, charge) in ENDING.items():
        ask.close_breakers()
        told = ask(plan)
        assert told.seen.ended is not None, plan
        assert (told.seen.ended.status, told.seen.ended.reason, told.answer) == ("failed", reason, None), plan
        assert (told.calls, told.outcomes, told.charged()) == (calls, [reason] * calls, [charge] * calls), plan


ANSWERS = {"refusal": "refusal", "max_tokens": "max_tokens", "thinking": "end"}


def test_a_refusal_a_filter_and_a_limit_are_answers_of_one_call_at_its_bill(ask: Ask) -> None:
    for (plan, stop), told in zip(ANSWERS.items(), ask.together(list(ANSWERS), model="fast"), strict=True):
        assert told.answer is not None, plan
        assert (told.answer.stop_reason, told.answer.model) == (stop, HAIKU), plan
        assert (told.calls, told.outcomes, told.charged()) == (1, ["complete"], [BILL]), plan


MOVING = ["429@60", "500", "401", "too_long", "silent", "cut@700", "error_later", "empty"]


def test_a_route_asks_its_next_model_at_once_and_tells_readers_to_drop_what_they_saw(ask: Ask) -> None:
    plans = [f"{HAIKU}={fault}|{OLDER}=ok" for fault in MOVING]
    for plan, told in zip(plans, ask.together(plans, model="fast"), strict=True):
        assert told.answer is not None, plan
        assert (told.answer.model, told.answer.text, told.seen.text) == (OLDER, WHOLE, WHOLE), plan
        assert (told.calls, told.outcomes[1:]) == (2, ["complete"]), plan
        attempts = {each.event.attempt for each in told.logged if isinstance(each.event, TextDelta)}
        resets = [each.event.attempt for each in told.logged if isinstance(each.event, Reset)]
        assert resets == sorted(attempts)[1:], plan
        assert resets or "error_later" not in plan, plan


def test_a_content_filter_is_an_answer_too(deployed: Deployed, openai_port: int) -> None:
    with ProviderServer(port=openai_port) as openai:
        told = Ask(deployed, openai)("content_filter", model=LUNA)

    assert told.answer is not None
    assert told.answer.stop_reason == "content_filter"
    assert (told.calls, told.charged()) == (1, [BILL])


def test_a_provider_that_nobody_reaches_costs_nothing(ask: Ask) -> None:
    ask.close_breakers()
    told = ask("ok", model=LUNA)

    assert told.seen.ended is not None
    assert (told.seen.ended.status, told.seen.ended.reason) == ("failed", "model_unavailable")
    assert (told.calls, told.charged()) == (0, [FREE] * 3)


@pytest.fixture
def anthropic_at(deployed: Deployed) -> Iterator[Callable[[str], None]]:
    """Yield what moves Anthropic's models to another address, as an operator would; afterwards they are back."""
    functions, name = deployed.aws("lambda"), deployed.function("CallModel")
    own = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def configure(**variables: str) -> None:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**own, **variables}})
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)

    yield lambda url: configure(
        PLINTH_ANTHROPIC_ACCESS="aws", PLINTH_ANTHROPIC_WORKSPACE="wrkspc_1", ANTHROPIC_AWS_BASE_URL=url
    )
    configure()


def test_a_provider_whose_tls_fails_costs_nothing_and_the_next_provider_answers(
    ask: Ask, deployed: Deployed, openai_port: int, anthropic_at: Callable[[str], None], tmp_path: Path
) -> None:
    with (
        ProviderServer(context=self_signed_context(tmp_path)) as unknown,
        ProviderServer() as plain,
        ProviderServer(port=openai_port) as openai,
    ):
        for server, url in ((unknown, unknown.url), (plain, plain.url.replace("http:", "https:"))):
            anthropic_at(url)
            ask.close_breakers()
            alone, routed = ask("ok"), Ask(deployed, openai)("ok", model="fast")

            assert alone.seen.ended is not None, url
            assert (alone.seen.ended.status, alone.seen.ended.reason) == ("failed", "model_unavailable"), url
            assert alone.charged() == [FREE] * 3, url
            assert routed.answer is not None, url
            assert (routed.answer.model, routed.answer.text, routed.calls) == (LUNA, WHOLE, 1), url
            assert routed.charged() == [FREE, FREE, BILL], url
            assert server.books.calls == [], url
    ask.close_breakers()


def test_after_five_failures_a_model_is_left_alone_and_its_route_goes_on_without_it(ask: Ask) -> None:
    ask.close_breakers()
    for _ in range(2):
        ask(f"{HAIKU}=500")
    told = ask("ok", model="fast")

    assert told.answer is not None
    assert (told.answer.model, told.calls) == (OLDER, 1)
    ask.close_breakers()


def test_a_conversation_stays_with_the_model_that_holds_its_prompt_and_the_receipt_says_what_that_saved(
    ask: Ask,
) -> None:
    ask.close_breakers()
    conversation = uuid4().hex

    first = ask(f"{HAIKU}=529|{OLDER}=ok", model="fast", conversation_id=conversation)
    second = ask("cached", model="fast", conversation_id=conversation)

    assert (first.answer, second.answer) != (None, None)
    assert [each.seen.receipt.model_calls[-1].model for each in (first, second) if each.seen.receipt] == [OLDER] * 2
    assert second.seen.receipt is not None
    (call,) = second.seen.receipt.model_calls
    assert (call.cached_input_tokens, call.cache_write_tokens) == (900, 100)
    assert second.seen.receipt.prompt_cache_saved_micro_usd == 785  # 900 x ($1.00 - $0.10) - 100 x ($1.25 - $1.00)
