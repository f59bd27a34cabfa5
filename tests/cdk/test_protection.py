"""What would be lost or seen if it were not protected."""

from typing import Any

import pytest

from tests.cdk.conftest import Synthesized

STATEFUL = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::OpenSearchService::Domain",
    "AWS::OpenSearchServerless::Collection",
)
AWS = ("sandbox", "dev", "staging", "prod")


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_data_outlives_its_stack_where_it_is_retained(synthesized: Synthesized, environment: str) -> None:
    for kind in STATEFUL:
        for name, resource in synthesized(environment).resources(kind).items():
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_tables_that_are_retained_refuse_to_be_deleted(synthesized: Synthesized, environment: str) -> None:
    tables = synthesized(environment).resources("AWS::DynamoDB::Table")
    assert len(tables) == 6
    assert all(table["Properties"]["DeletionProtectionEnabled"] for table in tables.values())


@pytest.mark.parametrize("environment", ["local", *AWS])
def test_every_table_expires_rows_and_can_be_restored_to_any_second(synthesized: Synthesized, environment: str) -> None:
    for name, table in synthesized(environment).resources("AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}, name
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name


@pytest.mark.parametrize("environment", ["local", *AWS])
def test_no_bucket_is_public(synthesized: Synthesized, environment: str) -> None:
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    for name, bucket in synthesized(environment).resources("AWS::S3::Bucket").items():
        assert bucket["Properties"]["PublicAccessBlockConfiguration"] == dict.fromkeys(closed, True), name


@pytest.mark.parametrize("environment", AWS)
def test_every_bucket_and_queue_refuses_plain_http_on_aws(synthesized: Synthesized, environment: str) -> None:
    assembly = synthesized(environment)
    for holder, policy in (("AWS::S3::Bucket", "AWS::S3::BucketPolicy"), ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy")):
        refusing = [each for each in assembly.resources(policy).values() if _refuses_plain_http(each)]
        assert len(refusing) == len(assembly.resources(holder)), holder


def _refuses_plain_http(policy: dict[str, Any]) -> bool:
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    return any(each["Effect"] == "Deny" and each.get("Condition") == plain for each in statements)


def test_documents_keep_their_versions_and_tell_of_every_change(synthesized: Synthesized) -> None:
    (sources,) = (
        bucket["Properties"]
        for name, bucket in synthesized("prod").resources("AWS::S3::Bucket").items()
        if name.startswith("data/Sources")
    )
    assert sources["VersioningConfiguration"] == {"Status": "Enabled"}
    assert sources["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_production_searches_inside_a_network_that_has_no_way_out(synthesized: Synthesized) -> None:
    assembly = synthesized("prod")
    (domain,) = assembly.resources("AWS::OpenSearchService::Domain").values()
    assert domain["Properties"]["VPCOptions"]["SecurityGroupIds"]
    assert not assembly.resources("AWS::EC2::InternetGateway")
    assert not assembly.resources("AWS::EC2::NatGateway")


def test_no_secret_value_is_in_a_template(synthesized: Synthesized) -> None:
    for environment in ("local", "prod"):
        for secret in synthesized(environment).resources("AWS::SecretsManager::Secret").values():
            assert set(secret["Properties"]) == {"Description"}
