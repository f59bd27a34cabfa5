"""Which resources of a template cost money while nobody uses them, how much of what, and which cost nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]
_MONTH_SECONDS = 730 * 3600
_MB_A_GB = 1024
_MILLION = 1_000_000
_POLLS_A_MONTH = 5 * _MONTH_SECONDS / 20
"""An event source mapping holds five long polls of 20 s on an idle queue (Lambda's guide, from memory)."""

_TARGET_TRACKING_ALARMS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """So many units of an item of the price list, all month; 0 of it with a `note` costs only while in use."""

    item: str
    units: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Nothing is billed while idle; `note` says what use will cost, or nothing where the kind is never billed."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A cost that is not known; `why` names what of the resource."""

    why: str


Found = Standing | Free | Unknown


def standing(resource: Resource, *, beside: Mapping[str, Resource]) -> Iterator[Found]:
    """Yield what an idle resource costs; `beside` are all resources of its template, by logical id."""
    kind: str = resource["Type"]
    properties: Resource = resource.get("Properties", {})
    if kind in _PRICED:
        yield from _PRICED[kind](properties, beside)
    elif kind in _BY_USE:
        yield Free(note=_BY_USE[kind])
    elif kind in _NEVER_BILLED:
        yield Free()
    else:
        yield Unknown(why="no rule for this type")


def _domain(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    cluster, volume = properties["ClusterConfig"], properties.get("EBSOptions", {})
    nodes = cluster.get("InstanceCount", 1)
    yield Standing(item=cluster["InstanceType"], units=nodes, note="data nodes")
    if cluster.get("DedicatedMasterEnabled"):
        yield Standing(item=cluster["DedicatedMasterType"], units=cluster["DedicatedMasterCount"], note="masters")
    if cluster.get("WarmEnabled"):
        yield Unknown(why="warm nodes")
    if volume.get("EBSEnabled"):
        yield Standing(item=f"search storage {volume.get('VolumeType', 'gp2')}", units=nodes * volume["VolumeSize"])


def _collection_group(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    limits = properties.get("CapacityLimits", {})
    least = sum(limits.get(f"Min{kind}CapacityInOCU", 0) for kind in ("Indexing", "Search"))
    if properties.get("Generation") != "NEXTGEN":
        yield Unknown(why="a collection that is not NEXTGEN never scales to zero")
    else:
        yield Standing(item="OpenSearch Serverless OCU", units=least, note="" if least else "scales to zero")


def _collection(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    if "CollectionGroupName" in properties:
        yield Free(note="billed by its group")
    else:
        yield Unknown(why="a collection without a group never scales to zero")


def _endpoint_configuration(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    for variant in properties["ProductionVariants"]:
        if "InstanceType" not in variant:
            yield Unknown(why="a variant without instances")
            continue
        scaling = variant.get("ManagedInstanceScaling", {})
        least = scaling.get("MinInstanceCount", variant.get("InitialInstanceCount", 1))
        most = scaling.get("MaxInstanceCount", least)
        note = f"scaled to zero; at most {most} when awake" if not least else "always on"
        yield Standing(item=variant["InstanceType"], units=least, note=note)


def _version(properties: Resource, beside: Mapping[str, Resource]) -> Iterator[Found]:
    function: Resource = _referred(properties["FunctionName"], beside)
    gigabytes = function.get("MemorySize", 128) / _MB_A_GB
    if function.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        yield Standing(item="SnapStart cache", units=gigabytes, note="per published version, old ones too")
    kept = properties.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
    if kept:
        yield Standing(item=f"provisioned concurrency, {_architecture(function)}", units=kept * gigabytes)
    yield Free(note=_BY_USE["AWS::Lambda::Function"])


def _alias(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    yield Unknown(why="provisioned concurrency of an alias") if "ProvisionedConcurrencyConfig" in properties else Free()


def _event_source(properties: Resource, beside: Mapping[str, Resource]) -> Iterator[Found]:
    if beside.get(_named(properties.get("EventSourceArn")), {}).get("Type") == "AWS::SQS::Queue":
        yield Standing(item="SQS requests", units=_POLLS_A_MONTH / _MILLION, note="polling an empty queue")
    else:
        yield Unknown(why="polling of something else than a queue of its stack")


def _rule(properties: Resource, beside: Mapping[str, Resource]) -> Iterator[Found]:
    yield from _schedule(properties, beside, targets=properties.get("Targets", []), billed=False)


def _scheduler(properties: Resource, beside: Mapping[str, Resource]) -> Iterator[Found]:
    yield from _schedule(properties, beside, targets=[properties.get("Target", {})], billed=True)


def _schedule(
    properties: Resource, beside: Mapping[str, Resource], *, targets: list[Resource], billed: bool
) -> Iterator[Found]:
    expression = properties.get("ScheduleExpression")
    times = _times_a_month(expression) if expression else 0.0
    if times is None:
        yield Unknown(why=f"how often {expression} is")
        return
    if not times:
        yield Free(note="per event")
        return
    if billed:
        yield Standing(item="EventBridge schedule", units=times / _MILLION, note=str(expression))
    for target in targets:
        yield from _scheduled_calls(_referred(target.get("Arn"), beside), times)


def _scheduled_calls(function: Resource, times: float) -> Iterator[Found]:
    if "Code" not in function:
        yield Unknown(why="a schedule of something else than a function of its stack")
        return
    seconds, gigabytes = times, function.get("MemorySize", 128) / _MB_A_GB
    note = "on a schedule, each call taken to last 1 s"
    yield Standing(item="Lambda requests", units=times / _MILLION, note=note)
    yield Standing(item=f"Lambda time, {_architecture(function)}", units=seconds * gigabytes / _MILLION, note=note)


def _times_a_month(expression: str) -> float | None:
    number, _, unit = expression.removeprefix("rate(").removesuffix(")").partition(" ")
    seconds = {"minute": 60, "hour": 3600, "day": 86400}.get(unit.rstrip("s"))
    if expression.startswith("rate(") and seconds and number.isdigit():
        return _MONTH_SECONDS / (int(number) * seconds)
    fields = expression.removeprefix("cron(").removesuffix(")").split(" ")
    if expression.startswith("cron(") and len(fields) == 6 and all(field.isdigit() for field in fields[:2]):
        return 1.0 if fields[2].isdigit() else 31.0
    return None


def _alarm(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    metrics = [each["MetricStat"] for each in properties.get("Metrics", []) if "MetricStat" in each]
    periods = [each["Period"] for each in metrics] or [properties.get("Period", 60)]
    yield Standing(item="alarm, high resolution" if min(periods) < 60 else "alarm", units=len(periods))


def _scaling_policy(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    tracking = properties.get("TargetTrackingScalingPolicyConfiguration")
    if not tracking:
        yield Free()
        return
    metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
    item = "alarm, high resolution" if metric.endswith("HighResolution") else "alarm"
    yield Standing(item=item, units=_TARGET_TRACKING_ALARMS, note="made by a target-tracking policy")


def _vpc_endpoint(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    kind = properties.get("VpcEndpointType", "Gateway")
    if kind == "Gateway":
        yield Free()
    elif kind == "Interface":
        yield Standing(item="interface endpoint", units=len(properties.get("SubnetIds", [])))
    else:
        yield Unknown(why=f"an endpoint of kind {kind}")


def _table(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    if properties.get("BillingMode") == "PAY_PER_REQUEST":
        yield Free(note="per request, and per GB that is stored and backed up")
    else:
        yield Unknown(why="provisioned capacity")


def _stage(properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
    yield Unknown(why="its cache") if properties.get("CacheClusterEnabled") else Free(note="per request")


def _always(item: str) -> Callable[[Resource, Mapping[str, Resource]], Iterator[Found]]:
    def found(_properties: Resource, _beside: Mapping[str, Resource]) -> Iterator[Found]:
        yield Standing(item=item, units=1)

    return found


def _referred(value: object, beside: Mapping[str, Resource]) -> Resource:
    """Return the properties of the function that a Ref or GetAtt means, by way of its version; empty if elsewhere."""
    found: Resource = beside.get(_named(value), {})
    properties: Resource = found.get("Properties", {})
    return _referred(properties["FunctionName"], beside) if "FunctionName" in properties else properties


def _named(value: object) -> str:
    """Return the logical id in a Ref or GetAtt, or nothing."""
    match value:
        case {"Ref": str(named)} | {"Fn::GetAtt": [str(named), str()]}:
            return named
        case _:
            return ""


def _architecture(function: Resource) -> str:
    return str(function.get("Architectures", ["x86_64"])[0])


_PRICED: Mapping[str, Callable[[Resource, Mapping[str, Resource]], Iterator[Found]]] = {
    "AWS::ApiGateway::Stage": _stage,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _always("dashboard"),
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::EIP": _always("public IPv4 address"),
    "AWS::EC2::NatGateway": _always("NAT gateway"),
    "AWS::EC2::VPCEndpoint": _vpc_endpoint,
    "AWS::Events::Rule": _rule,
    "AWS::KMS::Key": _always("KMS key"),
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::EventSourceMapping": _event_source,
    "AWS::Lambda::Version": _version,
    "AWS::OpenSearchServerless::Collection": _collection,
    "AWS::OpenSearchServerless::CollectionGroup": _collection_group,
    "AWS::OpenSearchService::Domain": _domain,
    "AWS::SageMaker::EndpointConfig": _endpoint_configuration,
    "AWS::Scheduler::Schedule": _scheduler,
    "AWS::SecretsManager::Secret": _always("secret"),
}

_BY_USE: Mapping[str, str] = {
    "AWS::CloudFront::Distribution": "per request and per GB sent",
    "AWS::EC2::FlowLog": "per GB of rejected traffic",
    "AWS::Lambda::Function": "per call and its time",
    "AWS::Logs::LogGroup": "per GB written, and per GB kept until its retention ends",
    "AWS::S3::Bucket": "per request, and per GB that is stored",
    "AWS::SNS::Topic": "per message",
    "AWS::SQS::Queue": "per request",
    "AWS::SageMaker::Endpoint": "billed by its configuration",
    "AWS::StepFunctions::StateMachine": "per transition, or per run and its time",
}

_NEVER_BILLED = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::OpenSearchServerless::AccessPolicy",
        "AWS::OpenSearchServerless::SecurityPolicy",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SageMaker::InferenceComponent",
        "Custom::CDKBucketDeployment",
    }
)
