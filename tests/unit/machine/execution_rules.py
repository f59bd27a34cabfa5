"""Rules by which executions work on one run: lost, doubled, late and replaced ones, judged after every step.

What they do goes through the ports, so that the same rules hold the fakes and DynamoDB.
"""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plinth.chain.executions import ABANDONED_SECONDS
from plinth.contracts.approvals import Approval, Decision, Ruling
from plinth.contracts.events import ApprovalDecided, ApprovalNeeded, RunEnded, RunResumed, StepEnded, TextDelta
from plinth.contracts.executions import Continuation, ResumeAt
from plinth.contracts.runs import Run, RunRequest, RunStatus
from plinth.contracts.tenant import Tenant
from plinth.errors import ModelCancelledError, RequestError, RunSupersededError
from plinth.runtime.approving import decide, withdraw
from plinth.runtime.lost_runs import look_after
from plinth.tools.approvals import APPROVAL_SECONDS
from plinth.wiring import Services
from tests.fakes.clock import FakeClock
from tests.fakes.limits import FakeLimits
from tests.fakes.objects import FakeMachines

LIFE = 900.0
REQUEST = RunRequest(question="Why?", model="claude-haiku-5-5", user="ada")
which = st.integers(min_value=0, max_value=1000)


@dataclass
class Worker:
    """An execution that won its claim; it may be lost, or replaced and not know it."""

    run: Run
    name: str
    turn: int


STEP = StepEnded(step="Api", started_at=0, duration_ms=1)
NEEDED = ("call", "tool", "arguments", "arguments_sha256", "expires_at")


def question(worker: Worker, number: int, *, at: float) -> Approval:
    return Approval(
        call=f"{worker.run.epoch}{worker.turn}-{number}",
        tool="remember",
        arguments="{}",
        arguments_sha256="seen",
        expires_at=int(at) + APPROVAL_SECONDS,
    )


class Starts(FakeMachines):
    """Starts that a test carries out when it likes, in any order and as often."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Run] = []

    def start_answer(self, run: Run, *, again: int = 0, machine: str | None = None) -> None:
        self.given.append(run)


class ExecutionRules(RuleBasedStateMachine):
    """Subclasses give `services` whose ports are the ones to be held to the rules, on `clock`, and a fresh `tenant`."""

    services: Services
    clock: FakeClock
    tenant: Tenant

    def begin(self, services: Services, clock: FakeClock, tenant: Tenant) -> None:
        self.services, self.clock, self.tenant = services, clock, tenant
        services.clock, services.limits = clock, FakeLimits(clock)
        services.machines = self.starts = Starts()
        run = Run(id="run_1", tenant=tenant, epoch=1, deadline=clock.now() + LIFE)
        services.runs.accept(run, REQUEST, None)
        self.starts.given.append(run)
        self.workers: list[Worker] = []
        self.owners: dict[int, str] = {}
        self.turns = {1: 1}
        self.names = 0

    @rule(number=which)
    def an_execution_starts(self, number: int) -> None:
        """Start any that was ever asked for: the first, the last, one again."""
        run = self.starts.given[number % len(self.starts.given)]
        self.names += 1
        name = f"execution-{self.names}"
        waits = self.services.runs.get(self.tenant, "run_1").status is RunStatus.AWAITING_APPROVAL
        if not self.services.executions.claim(run, owner=name):
            return
        assert not waits, "a run that waits for a person was claimed"
        assert self.owners.setdefault(run.epoch, name) == name, f"epoch {run.epoch} was claimed twice"
        if run.epoch > 1:
            self.append(run, RunResumed(because="time"))
        self.workers.append(Worker(run, name, self.services.executions.continuation(run).turn))

    @precondition(lambda self: self.workers)
    @rule(number=which)
    def one_writes(self, number: int) -> None:
        worker = self.worker(number)
        self.append(worker.run, TextDelta(text=worker.name, attempt=worker.run.epoch, offset=0))

    @precondition(lambda self: self.workers)
    @rule(number=which)
    def one_hands_over(self, number: int) -> None:
        worker = self.worker(number)
        try:
            following = self.services.executions.hand_over(worker.run, Continuation(turn=worker.turn + 1))
        except RunSupersededError:
            return
        assert following.epoch == worker.run.epoch + 1
        self.turns.setdefault(following.epoch, worker.turn + 1)
        self.starts.given.append(following)

    @precondition(lambda self: self.workers)
    @rule(number=which, calls=st.integers(min_value=1, max_value=2))
    def one_asks_a_person(self, number: int, calls: int) -> None:
        worker, before = self.worker(number), self.services.runs.get(self.tenant, "run_1").approvals
        asked = [question(worker, each, at=self.clock.now()) for each in range(calls)]
        known = [each for each in before if each.call not in {new.call for new in asked}]
        needed = [ApprovalNeeded(**{name: getattr(each, name) for name in NEEDED}) for each in asked]
        following = Continuation(turn=worker.turn + 1, resume_at=ResumeAt.RUN_TOOLS)
        try:
            run = self.services.approvals.ask(worker.run, [*known, *asked], following, needed)
        except (RunSupersededError, ModelCancelledError):
            return
        self.turns.setdefault(run.epoch, worker.turn + 1)
        self.starts.given.append(run)

    @rule(number=which, approves=st.booleans(), sees=st.booleans())
    def a_person_decides(self, number: int, *, approves: bool, sees: bool) -> None:
        record = self.services.runs.get(self.tenant, "run_1")
        if not record.approvals:
            return
        asked = record.approvals[number % len(record.approvals)]
        decision = Decision.APPROVE if approves else Decision.DENY
        seen = asked.arguments_sha256 if sees else "another"
        ruling = Ruling(call=asked.call, arguments_sha256=seen, decision=decision, user="ada", key_id="key")
        before = asked.decision
        try:
            made = decide(record, self.tenant, ruling, self.services, STEP)
        except RequestError:
            return
        assert sees
        assert made.decision is decision
        assert before in (None, decision)

    @precondition(lambda self: self.workers)
    @rule(number=which)
    def one_renews_its_lease(self, number: int) -> None:
        self.services.executions.renew(self.worker(number).run)

    @precondition(lambda self: self.workers)
    @rule(number=which)
    def one_ends_the_run(self, number: int) -> None:
        self.append(self.worker(number).run, RunEnded(status=RunStatus.DONE))

    @precondition(lambda self: self.workers)
    @rule(number=which)
    def one_claims_again(self, number: int) -> None:
        worker = self.worker(number)
        self.services.executions.claim(worker.run, owner=worker.name)

    @rule(seconds=st.sampled_from([1.0, 31.0, 61.0, 121.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def somebody_cancels(self) -> None:
        record = self.services.runs.cancel(self.tenant, "run_1")
        if record.status is RunStatus.AWAITING_APPROVAL:
            withdraw(record, self.tenant, self.services, user="ada", key_id="key")

    @rule()
    def the_sweep_looks(self) -> None:
        for found in self.services.executions.overdue(limit=10_000):
            if found.run.tenant == self.tenant:
                look_after(found, self.services)
        last = self.services.executions.continuation(self.starts.given[0])
        for run in self.starts.given:
            self.turns.setdefault(run.epoch, last.turn)

    def worker(self, number: int) -> Worker:
        return self.workers[number % len(self.workers)]

    def append(self, run: Run, event: TextDelta | RunResumed | RunEnded) -> None:
        try:
            self.services.run_log.append(run, [event])
        except RunSupersededError:
            return

    @invariant()
    def the_log_is_one_story(self) -> None:
        logged = self.services.run_log.read(self.tenant, "run_1", after=0)
        assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
        epochs = [each.epoch for each in logged]
        assert epochs == sorted(epochs), "an execution that was replaced wrote behind its successor"
        ends = [each for each in logged if isinstance(each.event, RunEnded)]
        assert ends == logged[len(logged) - len(ends) :]
        assert len(ends) <= 1
        record = self.services.runs.get(self.tenant, "run_1")
        assert max(epochs) <= record.epoch
        if ends:
            assert ends[0].epoch == record.epoch
            assert record.status is ends[0].event.status

    @invariant()
    def a_call_is_decided_once_and_as_the_log_says(self) -> None:
        logged = self.services.run_log.read(self.tenant, "run_1", after=0)
        told = [each.event for each in logged if isinstance(each.event, ApprovalDecided)]
        asked = [each.event.call for each in logged if isinstance(each.event, ApprovalNeeded)]
        record = self.services.runs.get(self.tenant, "run_1")
        assert len({each.call for each in told}) == len(told)
        assert sorted(each.call for each in record.approvals) == sorted(asked)
        assert {each.call: each.decision for each in told} == {
            each.call: each.decision for each in record.approvals if each.decision
        }
        if record.status is RunStatus.AWAITING_APPROVAL:
            assert any(each.decision is None for each in record.approvals)

    @invariant()
    def an_execution_begins_where_the_one_before_it_came_to(self) -> None:
        for worker in self.workers:
            assert worker.turn == self.turns[worker.run.epoch]

    def teardown(self) -> None:
        """Nobody works any more: the sweep alone must bring the run to its end."""
        until = self.clock.now() + LIFE + 10 * ABANDONED_SECONDS + 40 * APPROVAL_SECONDS
        while self.clock.now() < until:
            self.clock.advance(60)
            self.the_sweep_looks()
        logged = self.services.run_log.read(self.tenant, "run_1", after=0)
        assert isinstance(logged[-1].event, RunEnded)
