"""Every place where a template lets something be stored is in the registry of stores, and erased as it says."""

import pytest

from plinth.memory.stores import STORES, RegisteredStore
from plinth.wiring import Services
from tests.cdk.conftest import Synthesized
from tests.registered_stores import erased_stores, exported_stores

KEEPS = (
    "AWS::DynamoDB::Table",
    "AWS::DynamoDB::GlobalTable",
    "AWS::S3::Bucket",
    "AWS::S3Vectors::VectorBucket",
    "AWS::SQS::Queue",
    "AWS::Kinesis::Stream",
    "AWS::OpenSearchService::Domain",
    "AWS::OpenSearchServerless::Collection",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::DSQL::Cluster",
    "AWS::EFS::FileSystem",
    "AWS::StepFunctions::StateMachine",
    "AWS::Logs::LogGroup",
)


def registered(kind: str, name: str) -> list[RegisteredStore]:
    """Return the stores of the registry that a resource belongs to."""
    return [store for store in STORES if any(kind == each or name.startswith(each) for each in store.resources)]


@pytest.mark.guarantee_d
@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_whatever_can_keep_content_is_in_the_registry_of_stores(synthesized: Synthesized, environment: str) -> None:
    for kind in KEEPS:
        for name in synthesized(environment).resources(kind):
            stores = registered(kind, name)
            assert stores, (
                f"{name} ({kind}) is no store that plinth.memory.stores knows: register it with what erases it"
            )


@pytest.mark.guarantee_d
def test_every_store_that_is_registered_is_in_a_template(synthesized: Synthesized) -> None:
    names = [(kind, name) for env in ("local", "prod") for kind in KEEPS for name in synthesized(env).resources(kind)]
    for store in STORES:
        assert any(store in registered(kind, name) for kind, name in names), store.name


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Services:
    """Return the services of a function that may touch every store."""
    for name in ("TENANTS", "LEDGER", "RUNS", "CONVERSATIONS", "DOCUMENTS", "ANSWERS"):
        monkeypatch.setenv(f"PLINTH_{name}_TABLE", name)
    for name in ("DOCUMENTS", "WORK", "EXPORTS"):
        monkeypatch.setenv(f"PLINTH_{name}_BUCKET", name)
    for name, value in {"URL": "http://127.0.0.1:9", "AUTH": "none"}.items():
        monkeypatch.setenv(f"PLINTH_OPENSEARCH_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return Services()


@pytest.mark.guarantee_d
def test_every_store_that_is_said_to_be_erased_has_an_adapter_that_does(wired: Services) -> None:
    erasing = wired.erasing

    assert {store.name for store in (*erasing.objects, *erasing.index, *erasing.rows)} == erased_stores()


def test_every_store_is_in_an_export_or_says_why_not(wired: Services) -> None:
    assert {store.name for store in wired.exporting.stores} == exported_stores()
    assert exported_stores() == {"sources", "documents", "conversations", "runs", "ledger", "tenants"}


def test_a_store_that_is_not_erased_says_until_when_it_keeps_what() -> None:
    silent = [store.name for store in STORES if not store.erased and not store.copies]

    assert silent == ["console"]
