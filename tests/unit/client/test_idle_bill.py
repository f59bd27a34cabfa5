"""What is on the idle bill of an environment, what is free, and what has no price."""

from typing import Any

import pytest

from client.commands.cost import conclusions, line_text
from client.errors import UsageError
from client.idle_bill import IdleBill, idle_bill
from client.standing_prices import standing_prices
from client.templates import templates_of

Resources = dict[str, Any]


def bill_of(**resources: Resources) -> IdleBill:
    return idle_bill("dev", {"plinth-dev-any": resources})


def resource(kind: str, **properties: object) -> Resources:
    return {"Type": kind, "Properties": properties}


def test_a_search_domain_costs_its_nodes_its_masters_and_their_storage() -> None:
    domain = resource(
        "AWS::OpenSearchService::Domain",
        ClusterConfig={
            "InstanceType": "r7g.large.search",
            "InstanceCount": 2,
            "DedicatedMasterEnabled": True,
            "DedicatedMasterType": "m7g.medium.search",
            "DedicatedMasterCount": 3,
        },
        EBSOptions={"EBSEnabled": True, "VolumeSize": 100, "VolumeType": "gp3"},
    )

    bill = bill_of(Domain=domain)

    assert [(line.item, line.units, line.micro_usd) for line in bill.lines] == [
        ("r7g.large.search", 2, 2 * 178_000 * 730),
        ("m7g.medium.search", 3, 3 * 68_000 * 730),
        ("search storage gp3", 200, 200 * 122_000),
    ]
    assert bill.micro_usd_a_month == 259_880_000 + 148_920_000 + 24_400_000


@pytest.mark.parametrize(("least", "hours"), [(0, 0), (1, 730)])
def test_an_endpoint_costs_its_least_instances_and_shows_the_price_of_an_hour_awake(least: int, hours: int) -> None:
    variant = {
        "InstanceType": "ml.g6.xlarge",
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": {"MinInstanceCount": least, "MaxInstanceCount": 4},
    }

    (line,) = bill_of(Model=resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[variant])).lines

    assert line.micro_usd == hours * 1_127_000
    assert "$1.127 per hour" in line_text(line)


def test_a_type_without_a_rule_is_named_and_makes_the_sum_a_least() -> None:
    bill = bill_of(Stream=resource("AWS::Kinesis::Stream"), Key=resource("AWS::KMS::Key"))

    told = "\n".join(conclusions(bill))

    assert "at least $1.00 a month" in told
    assert "not priced: 1 x AWS::Kinesis::Stream (no rule for this type)" in told


@pytest.mark.parametrize(
    "unknown",
    [
        resource("AWS::DynamoDB::Table", BillingMode="PROVISIONED"),
        resource("AWS::ApiGateway::Stage", CacheClusterEnabled=True),
        resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[{"InstanceType": "ml.none.large"}]),
        resource("AWS::OpenSearchServerless::Collection", Name="classic"),
        resource("AWS::EC2::VPCEndpoint", VpcEndpointType="GatewayLoadBalancer"),
        resource("AWS::Scheduler::Schedule", ScheduleExpression="at(2026-11-24T00:00:00)", Target={"Arn": "other"}),
    ],
)
def test_a_setting_whose_cost_is_unknown_is_never_taken_for_free(unknown: Resources) -> None:
    bill = bill_of(Unknown=unknown)

    assert [kind.type for kind in bill.not_priced] == [unknown["Type"]]


def test_the_kept_snapshot_of_a_version_is_billed_by_the_memory_of_its_function() -> None:
    function = resource("AWS::Lambda::Function", MemorySize=512, SnapStart={"ApplyOn": "PublishedVersions"})
    version = resource("AWS::Lambda::Version", FunctionName={"Ref": "Call"})

    (line,) = bill_of(Call=function, CallVersion=version).lines

    assert (line.item, line.units) == ("SnapStart cache", 0.5)


def test_a_function_on_a_schedule_is_called_all_month() -> None:
    function = resource("AWS::Lambda::Function", MemorySize=1024, Architectures=["arm64"], Code={})
    rule = resource(
        "AWS::Events::Rule",
        ScheduleExpression="rate(1 hour)",
        Targets=[{"Arn": {"Fn::GetAtt": ["Sweep", "Arn"]}}],
    )

    requests, time = bill_of(Sweep=function, Hourly=rule).lines

    assert requests.units * 1_000_000 == pytest.approx(730)
    assert time.units * 1_000_000 == pytest.approx(730)
    assert "taken to last 1 s" in time.note


def test_an_alarm_is_billed_by_each_metric_that_it_reads() -> None:
    metric = {"MetricStat": {"Period": 60}}
    two = resource("AWS::CloudWatch::Alarm", Metrics=[metric, metric, {"Expression": "a / b"}])

    lines = bill_of(Two=two, Quick=resource("AWS::CloudWatch::Alarm", Period=10)).lines

    assert [(line.item, line.units) for line in lines] == [("alarm", 2), ("alarm, high resolution", 1)]


def test_every_price_names_its_source_and_its_day() -> None:
    assert all(row.source and row.as_of and row.micro_usd > 0 for row in standing_prices().rows)


def test_an_unknown_environment_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(UsageError, match=r"no environment 'qa'.*local, sandbox, dev, staging, prod"):
        templates_of("qa")
