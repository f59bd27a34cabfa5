"""How documents become searchable, alone or by the thousand, and how they go: bucket events, a queue, and machines."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.constructs.chain_step import ChainStep, Surroundings
from cdk.constructs.dead_letters import dead_letters
from cdk.constructs.import_chain import DocumentsChain, ImportChain, Lists
from cdk.constructs.state_machine import Chain
from cdk.constructs.timer import call_by_clock
from cdk.permissions import Permission, Permissions
from cdk.stacks.foundations import Foundations
from cdk.step import Step, Touch
from cdk.steps import ERASE_STEPS, IMPORT_STEPS, INGEST_STEPS, REINDEX_STEPS, START_INGEST, SYNC_DOCUMENTS
from cdk.sync_buckets import named, on_synced

RECEIVES_BEFORE_LOST = 5


class IngestStack(Stack):
    """S3 -> EventBridge -> SQS -> StartIngest -> the ingest or the erase machine; imports start the ingest machine too.

    An event that can't be handed on ends in `lost_events`; a document that can't be read, in `refused_documents`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, foundations: Foundations) -> None:
        super().__init__(scope, construct_id, env=foundations.environment.place)
        self._environment = foundations.environment
        self.refused_documents = dead_letters(self, "RefusedDocuments", self._environment)
        self.lost_events = dead_letters(self, "LostEvents", self._environment)
        synced = on_synced(self._environment.sync_buckets)
        surroundings = foundations.surroundings(
            self, {**synced, Touch.BURY_DOCUMENTS: (self._may_bury(),), Touch.WAKE_IMPORTS: ()}
        )
        self.ingest = self._chain("Ingest", INGEST_STEPS, surroundings)
        self.erase = self._chain("Erase", ERASE_STEPS, surroundings)
        self.imports = ImportChain(
            self,
            "Import",
            steps=[ChainStep(self, step=row, surroundings=surroundings) for row in IMPORT_STEPS],
            ingest=self.ingest,
            lists=Lists(bucket=foundations.data.work, folder="*/imports", environment=self._environment),
        )
        reindexing = [ChainStep(self, step=row, surroundings=surroundings) for row in REINDEX_STEPS]
        remove = next(each for each in self.ingest.steps if each.step.name == "RemovePassages")
        self.reindex = DocumentsChain(
            self,
            "Reindex",
            steps=[*reindexing, remove],
            ingest=self.ingest,
            lists=Lists(bucket=foundations.data.work, folder="_reindexes", environment=self._environment),
        )
        self._ingests = self.ingest.may_be_started("PLINTH_INGEST_MACHINE_ARN")
        erases = {Touch.START_ERASE: self.erase.may_be_started("PLINTH_ERASE_MACHINE_ARN")}
        starts = surroundings.knowing({**self._starts, **erases})
        self.start = ChainStep(self, step=START_INGEST, surroundings=starts)
        self.sync = ChainStep(self, step=SYNC_DOCUMENTS, surroundings=starts)
        often = events.Schedule.rate(Duration.minutes(self._environment.sync_minutes))
        call_by_clock(self, "EachSync", schedule=often, step=self.sync, retries=2)
        self.imports.let_wake(self.start, *self.imports.steps)
        chains = [*self.ingest.steps, *self.erase.steps, *self.imports.steps, *reindexing]
        self.steps = [*chains, self.start, self.sync]
        foundations.memory.admit(self, self.steps)
        self._follow(foundations.data.sources)

    @property
    def permissions(self) -> Permissions:
        """What it means to start a try again, an import, and a pass of a sync."""
        function = self.sync.function
        begins = Permission(
            actions=("lambda:InvokeFunction",),
            resources=(function.function_arn,),
            variables={"PLINTH_SYNC_FUNCTION": function.function_name, **named(self._environment.sync_buckets)},
        )
        return {**self._starts, Touch.START_SYNC: (begins,)}

    @property
    def _starts(self) -> Permissions:
        at_once = Permission(variables={"PLINTH_IMPORTS_AT_ONCE": str(self._environment.imports_at_once)})
        imports = self.imports.may_be_started("PLINTH_IMPORT_MACHINE_ARN")
        return {Touch.START_INGEST: self._ingests, Touch.START_IMPORT: (*imports, at_once)}

    def _chain(self, name: str, rows: Sequence[Step], surroundings: Surroundings) -> Chain:
        steps = [ChainStep(self, step=row, surroundings=surroundings) for row in rows]
        return Chain(self, name, steps=steps, kind="STANDARD", environment=self._environment)

    def _may_bury(self) -> Permission:
        queue = self.refused_documents
        return Permission(
            actions=("sqs:SendMessage",),
            resources=(queue.queue_arn,),
            variables={"PLINTH_DEAD_LETTER_QUEUE_URL": queue.queue_url},
        )

    def _follow(self, bucket: s3.IBucket) -> None:
        """Queue every change of the bucket but the clean-up of old versions, and start a machine for each."""
        changes = sqs.Queue(
            self,
            "Changes",
            enforce_ssl=self._environment.tls_only,
            visibility_timeout=Duration.seconds(6 * START_INGEST.timeout_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.lost_events, max_receive_count=RECEIVES_BEFORE_LOST),
        )
        reason = events.Match.any_of(events.Match.anything_but("Lifecycle Expiration"), events.Match.does_not_exist())
        events.Rule(
            self,
            "Changed",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created", "Object Deleted"],
                detail={"bucket": {"name": [bucket.bucket_name]}, "reason": reason},
            ),
            targets=[cast("events.IRuleTarget", targets.SqsQueue(changes, dead_letter_queue=self.lost_events))],
        )
        self.start.function.add_event_source(
            sources.SqsEventSource(changes, batch_size=10, report_batch_item_failures=True)
        )
        CfnOutput(self, "ChangesQueueUrl", value=changes.queue_url)
