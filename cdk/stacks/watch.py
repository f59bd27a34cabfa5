"""What is looked at, and what calls somebody: a dashboard, and alarms on what users would notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.constructs.chain_step import ChainStep
from cdk.constructs.signal import Signal
from cdk.constructs.state_machine import Chain
from cdk.environments import Environment
from cdk.stacks.answer import AnswerStack
from cdk.stacks.api import ApiStack
from cdk.stacks.erasure import ErasureStack
from cdk.stacks.infer import InferStack
from cdk.stacks.ingest import IngestStack
from cdk.stacks.money import MoneyStack
from cdk.steps import EXPORT_USAGE, SYNC_DOCUMENTS

_QUEUES = {
    "RefusedDocuments": "documents-refused",
    "LostEvents": "events-lost",
    "LostNotices": "notices-lost",
    "FailedErasures": "erasure-failed",
}
"""Which runbook is for what waits in which queue."""
PERIOD = Duration.minutes(5)
SLOW_ANSWER_MS = 60_000
FAULTS = 5
SELDOM = (EXPORT_USAGE, SYNC_DOCUMENTS)
"""Functions that the clock calls less often than `FAULTS` times in a period: one error of theirs is told."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The stacks that do the work."""

    answer: AnswerStack
    ingest: IngestStack
    erasure: ErasureStack
    api: ApiStack
    money: MoneyStack
    infer: InferStack | None = None

    @property
    def steps(self) -> list[ChainStep]:
        """Every function."""
        inferring = self.infer.steps if self.infer else []
        documents = [*self.ingest.steps, *self.erasure.steps]
        return [*self.answer.functions, *documents, *self.api.steps, *self.money.steps, *inferring]

    @property
    def chains(self) -> dict[str, Chain]:
        """Every machine, by name."""
        inferring = {"Infer": self.infer.chain} if self.infer else {}
        ingest = self.ingest
        documents = {"Ingest": ingest.ingest, "Erase": ingest.erase}
        many = {"Import": ingest.imports, "Reindex": ingest.reindex}
        everything = {"Forget": self.erasure.forget, "Export": self.erasure.export}
        return {"Answer": self.answer.chain, **documents, **many, **everything, **inferring}


class WatchStack(Stack):
    """One dashboard; and, where the environment wants alarms, a topic that each alarm tells."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, watched: Watched) -> None:
        super().__init__(scope, construct_id, env=environment.place)
        rows = {
            "Machines": _machines(watched),
            "Dead letters": _dead_letters(watched),
            "Function errors": [_errors(step) for step in watched.steps],
            "Function throttles": [_throttles(step) for step in watched.steps],
            "API": [_refused(watched.api)],
        }
        self._dashboard(rows)
        if environment.alarms:
            self._alarms([signal for row in rows.values() for signal in row], environment.alarm_email)

    def _dashboard(self, rows: Mapping[str, Sequence[Signal]]) -> None:
        graphs = [
            cloudwatch.GraphWidget(title=title, left=[signal.metric for signal in signals], width=12)
            for title, signals in rows.items()
        ]
        cloudwatch.Dashboard(self, "Dashboard", widgets=[graphs])

    def _alarms(self, signals: Sequence[Signal], email: str | None) -> None:
        topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        topic.add_to_resource_policy(self._let_publish(topic))
        if email:
            sns.CfnSubscription(self, "Reader", topic_arn=topic.topic_arn, protocol="email", endpoint=email)
        for signal in signals:
            signal.alarm(self, tell=topic)

    def _let_publish(self, topic: sns.Topic) -> iam.PolicyStatement:
        """Let CloudWatch tell the topic: a policy of its own takes the place of the one that SNS gives a topic."""
        return iam.PolicyStatement(
            sid="AllowAlarms",
            principals=[cast("iam.IPrincipal", iam.ServicePrincipal("cloudwatch.amazonaws.com"))],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": self.account}},
        )


def _machines(watched: Watched) -> list[Signal]:
    chains = watched.chains
    slow = watched.answer.chain.machine.metric_time(statistic="p95", period=PERIOD)
    return [
        *(
            Signal(name=f"{n}Failed", runbook="machine-failed", metric=c.machine.metric_failed(period=PERIOD), limit=1)
            for n, c in chains.items()
        ),
        *(
            Signal(
                name=f"{n}TimedOut",
                runbook="machine-timed-out",
                metric=c.machine.metric_timed_out(period=PERIOD),
                limit=1,
            )
            for n, c in chains.items()
        ),
        Signal(name="AnswerSlow", runbook="answer-slow", metric=slow, limit=SLOW_ANSWER_MS),
    ]


def _dead_letters(watched: Watched) -> list[Signal]:
    inferring = {"LostNotices": watched.infer.lost_notices} if watched.infer else {}
    ingest = watched.ingest
    failed = {"FailedErasures": watched.erasure.failed_erasures}
    queues = {"RefusedDocuments": ingest.refused_documents, "LostEvents": ingest.lost_events, **failed, **inferring}
    return [
        Signal(
            name=f"{name}Waiting",
            runbook=_QUEUES[name],
            metric=queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
            limit=1,
        )
        for name, queue in queues.items()
    ]


def _errors(step: ChainStep) -> Signal:
    metric = step.function.metric_errors(period=PERIOD)
    limit = 1 if step.step in SELDOM else FAULTS
    return Signal(name=f"{step.step.name}Errors", runbook="function-errors", metric=metric, limit=limit)


def _throttles(step: ChainStep) -> Signal:
    metric = step.function.metric_throttles(period=PERIOD)
    return Signal(name=f"{step.step.name}Throttled", runbook="function-throttled", metric=metric, limit=FAULTS)


def _refused(api: ApiStack) -> Signal:
    metric = api.rest.metric_server_error(period=PERIOD)
    return Signal(name="ApiServerErrors", runbook="api-server-errors", metric=metric, limit=FAULTS)
