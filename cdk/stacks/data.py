"""Where rows and objects live: the one stateful stack, protected where its environment says so."""

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.environments import Environment
from cdk.permissions import ERASE_ROWS, READ_ROWS, WRITE_ROWS, Permission, Permissions, on_table
from cdk.step import Touch

_LEDGER = "PLINTH_LEDGER_TABLE"
_READ_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging")
_OWN = s3.LifecycleRule(
    prefix="tenants/", expiration=Duration.days(7), noncurrent_version_expiration=Duration.days(1)
)  # tenants' exports, as long as plinth.contracts.exporting says
_OPEN = "open"  # the name that plinth.adapters.open_rows asks for


class DataStack(Stack):
    """Tables of tenants, budgets, runs, conversations, documents and answers; buckets of sources, work and exports."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, env=environment.place, termination_protection=environment.retain_data)
        self._environment = environment
        self.tenants = self._table("Tenants")
        self.ledger = self._table("Ledger")
        _index_open_rows(self.ledger)
        self.runs = self._table("Runs")
        _index_open_rows(self.runs)
        self.conversations = self._table("Conversations")
        self.documents = self._table("Documents")
        self.answers = self._table("Answers")
        self.sources = self._bucket("Sources", s3.LifecycleRule(noncurrent_version_expiration=Duration.days(30)))
        self.work = self._bucket("Work", s3.LifecycleRule(expiration=Duration.days(2)))
        self.exports = self._bucket("Exports", s3.LifecycleRule(noncurrent_version_expiration=Duration.days(90)), _OWN)
        self.receipts_key = kms.Key(
            self,
            "ReceiptsKey",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=environment.removal_policy,
        )
        _announce_changes(self.sources)
        CfnOutput(self, "ReceiptsKeyArn", value=self.receipts_key.key_arn)
        CfnOutput(self, "DocumentsBucket", value=self.sources.bucket_name)
        CfnOutput(self, "WorkBucket", value=self.work.bucket_name)
        CfnOutput(self, "ExportsBucket", value=self.exports.bucket_name)

    def _table(self, name: str) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            name,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._environment.retain_data,
            removal_policy=self._environment.removal_policy,
        )
        CfnOutput(self, f"{name}Table", value=table.table_name)
        return table

    def _bucket(self, name: str, *rules: s3.LifecycleRule) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            versioned=any(rule.noncurrent_version_expiration for rule in rules),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=self._environment.tls_only,
            lifecycle_rules=[*rules],
            removal_policy=self._environment.removal_policy,
        )

    @property
    def permissions(self) -> Permissions:
        """What each right on the tables and buckets means."""
        return {**self._on_rows(), **self._on_objects(), **self._on_erasures(), **self._on_exports()}

    def _on_rows(self) -> Permissions:
        return {
            Touch.READ_TENANTS: on_table(self.tenants, "PLINTH_TENANTS_TABLE", READ_ROWS),
            Touch.METER_TENANTS: (
                *on_table(self.tenants, "PLINTH_TENANTS_TABLE", ("dynamodb:UpdateItem",)),
                Permission(variables={"PLINTH_RUN_CAPACITY": str(self._environment.run_capacity)}),
            ),
            Touch.LIST_TENANTS: on_table(self.tenants, "PLINTH_TENANTS_TABLE", ("dynamodb:Scan",)),
            Touch.READ_BUDGETS: on_table(self.ledger, _LEDGER, ("dynamodb:BatchGetItem",)),
            Touch.READ_CALLS: on_table(self.ledger, _LEDGER, ("dynamodb:BatchGetItem", "dynamodb:Query")),
            Touch.SPEND_BUDGETS: on_table(self.ledger, _LEDGER, ("dynamodb:UpdateItem",)),
            Touch.SWEEP_BUDGETS: (
                *on_table(self.ledger, _LEDGER, ("dynamodb:BatchGetItem", "dynamodb:UpdateItem")),
                _open_rows_of(self.ledger),
            ),
            Touch.SWEEP_RUNS: (_open_rows_of(self.runs),),
            Touch.READ_RUNS: on_table(self.runs, "PLINTH_RUNS_TABLE", READ_ROWS),
            Touch.WRITE_RUNS: on_table(self.runs, "PLINTH_RUNS_TABLE", WRITE_ROWS),
            Touch.READ_CONVERSATIONS: on_table(self.conversations, "PLINTH_CONVERSATIONS_TABLE", READ_ROWS),
            Touch.WRITE_CONVERSATIONS: on_table(self.conversations, "PLINTH_CONVERSATIONS_TABLE", WRITE_ROWS),
            Touch.ERASE_CONVERSATIONS: on_table(
                self.conversations, "PLINTH_CONVERSATIONS_TABLE", ("dynamodb:BatchWriteItem", "dynamodb:DeleteItem")
            ),
            Touch.READ_ANSWERS: on_table(self.answers, "PLINTH_ANSWERS_TABLE", READ_ROWS),
            Touch.WRITE_ANSWERS: on_table(self.answers, "PLINTH_ANSWERS_TABLE", WRITE_ROWS),
            Touch.READ_DOCUMENTS: on_table(self.documents, "PLINTH_DOCUMENTS_TABLE", READ_ROWS),
            Touch.WRITE_DOCUMENTS: on_table(self.documents, "PLINTH_DOCUMENTS_TABLE", WRITE_ROWS),
            Touch.REINDEX_DOCUMENTS: (
                *on_table(self.documents, "PLINTH_DOCUMENTS_TABLE", ("dynamodb:Scan",)),
                Permission(
                    variables={
                        "PLINTH_IMPORTS_AT_ONCE": str(self._environment.imports_at_once),
                        "PLINTH_REINDEX_GRACE_SECONDS": str(self._environment.reindex_grace_seconds),
                    }
                ),
            ),
        }

    def _on_objects(self) -> Permissions:
        return {
            Touch.WRITE_EXPORTS: _on_bucket(self.exports, "PLINTH_EXPORTS_BUCKET", ("s3:PutObject",)),
            Touch.READ_SOURCES: (
                *self._on_sources(*_READ_OBJECTS),
                Permission(actions=("s3:ListBucket",), resources=(self.sources.bucket_arn,)),
            ),
            Touch.LIST_SOURCES: (
                Permission(
                    actions=("s3:ListBucketVersions",),
                    resources=(self.sources.bucket_arn,),
                    variables={"PLINTH_DOCUMENTS_BUCKET": self.sources.bucket_name},
                ),
            ),
            Touch.UPLOAD_SOURCES: self._on_sources("s3:PutObject"),
            Touch.WITHDRAW_SOURCES: self._on_sources("s3:DeleteObject"),
            Touch.DELETE_SOURCES: (
                *self._on_sources("s3:DeleteObject", "s3:DeleteObjectVersion"),
                Permission(actions=("s3:ListBucketVersions",), resources=(self.sources.bucket_arn,)),
            ),
            Touch.READ_WORK: (
                *self._on_work("s3:GetObject"),
                Permission(actions=("s3:ListBucket",), resources=(self.work.bucket_arn,)),
            ),
            Touch.WRITE_WORK: self._on_work("s3:PutObject"),
        }

    def _on_erasures(self) -> Permissions:
        return {
            Touch.TRACK_ERASURES: (
                *on_table(self.tenants, "PLINTH_TENANTS_TABLE", ("dynamodb:GetItem", *WRITE_ROWS)),
                Permission(variables={"PLINTH_ERASE_SETTLE_SECONDS": str(self._environment.erase_settle_seconds)}),
            ),
            Touch.ERASE_OBJECTS: tuple(permission for bucket in self._buckets() for permission in _erasable(*bucket)),
            Touch.ERASE_ROWS: tuple(
                permission for table in self._tables() for permission in on_table(*table, ERASE_ROWS)
            ),
            Touch.SIGN_RECEIPTS: (
                Permission(
                    actions=("kms:Sign",),
                    resources=(self.receipts_key.key_arn,),
                    variables={"PLINTH_RECEIPTS_KEY_ID": self.receipts_key.key_arn},
                ),
            ),
        }

    def _on_exports(self) -> Permissions:
        files, variable = self.exports.arn_for_objects("tenants/*"), "PLINTH_EXPORTS_BUCKET"
        read = (
            Permission(actions=("s3:GetObject",), resources=(files,), variables={variable: self.exports.bucket_name}),
            Permission(actions=("s3:ListBucket",), resources=(self.exports.bucket_arn,)),
        )
        written = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
        collected = [table for table in self._tables() if table[0] is not self.answers]
        return {
            Touch.TRACK_EXPORTS: on_table(self.tenants, "PLINTH_TENANTS_TABLE", (*READ_ROWS, "dynamodb:PutItem")),
            Touch.COLLECT_DATA: (
                *(each for table in collected for each in on_table(*table, ("dynamodb:Scan", *READ_ROWS))),
                *self._on_sources("s3:GetObject"),
                Permission(actions=("s3:ListBucket",), resources=(self.sources.bucket_arn,)),
            ),
            Touch.WRITE_EXPORT_FILES: (
                *read,
                Permission(actions=written, resources=(files,)),
                Permission(actions=("s3:ListBucketVersions",), resources=(self.exports.bucket_arn,)),
            ),
            Touch.READ_EXPORT_FILES: read,
        }

    def _tables(self) -> list[tuple[dynamodb.Table, str]]:
        return [
            (self.tenants, "PLINTH_TENANTS_TABLE"),
            (self.ledger, _LEDGER),
            (self.runs, "PLINTH_RUNS_TABLE"),
            (self.conversations, "PLINTH_CONVERSATIONS_TABLE"),
            (self.documents, "PLINTH_DOCUMENTS_TABLE"),
            (self.answers, "PLINTH_ANSWERS_TABLE"),
        ]

    def _buckets(self) -> list[tuple[s3.Bucket, str]]:
        return [
            (self.sources, "PLINTH_DOCUMENTS_BUCKET"),
            (self.work, "PLINTH_WORK_BUCKET"),
            (self.exports, "PLINTH_EXPORTS_BUCKET"),
        ]

    def _on_sources(self, *actions: str) -> tuple[Permission, ...]:
        return _on_bucket(self.sources, "PLINTH_DOCUMENTS_BUCKET", actions)

    def _on_work(self, *actions: str) -> tuple[Permission, ...]:
        return _on_bucket(self.work, "PLINTH_WORK_BUCKET", actions)


def _on_bucket(bucket: s3.Bucket, variable: str, actions: tuple[str, ...]) -> tuple[Permission, ...]:
    objects = bucket.arn_for_objects("*")
    return (Permission(actions=actions, resources=(objects,), variables={variable: bucket.bucket_name}),)


def _erasable(bucket: s3.Bucket, variable: str) -> tuple[Permission, ...]:
    """Let every version be deleted, and a file with others' lines be written anew."""
    actions = ("s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
    listed = Permission(actions=("s3:ListBucketVersions",), resources=(bucket.bucket_arn,))
    return *_on_bucket(bucket, variable, actions), listed


def _open_rows_of(table: dynamodb.Table) -> Permission:
    return Permission(actions=("dynamodb:Query",), resources=(f"{table.table_arn}/index/{_OPEN}",))


def _index_open_rows(table: dynamodb.Table) -> None:
    """Let a sweep find rows that nobody ended: an ended one has no `open` and so is not in the index."""
    table.add_global_secondary_index(
        index_name=_OPEN,
        partition_key=dynamodb.Attribute(name="open", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="lapses_at", type=dynamodb.AttributeType.NUMBER),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )


def _announce_changes(bucket: s3.Bucket) -> None:
    """Send the bucket's events to EventBridge; set on the L1, because the L2 needs a custom resource for it."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"{bucket.node.path} is not made of an AWS::S3::Bucket")
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
