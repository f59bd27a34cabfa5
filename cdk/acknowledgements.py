"""Which findings of cdk-nag are meant, and why: one sentence per finding, for the stack that it is about."""

import json
import re
from collections.abc import Mapping

from aws_cdk import Acknowledgment, App, CfnResource, Stack, Validations

from cdk.constructs.state_machine import Chain
from cdk.environments import Environment

_ANYTHING = "AwsSolutions-IAM5[Resource::*]"
_WEB_ACL = "Keys, tiers and throttling come first; a web ACL is the decision of the account's owner."
_FUNCTIONS = {
    "AwsSolutions-L1": "The layers are compiled for this runtime; moving on is one field of the environment.",
    _ANYTHING: "Tracing, networks, log delivery and registries know no resource; a test lists every action on '*'.",
}
_OBJECTS = "Any object of this one bucket: their keys are documents' names or months."
_PASSAGES = "Any path of this one domain: OpenSearch takes searches and bulk writes beside the index, too."
_STANDARD = "Failures are logged; a Standard machine keeps the history of every event by itself."
_CONTAINER_LOGS = "AwsSolutions-IAM5[Resource::arn:aws:logs:{region}:<AWS::AccountId>:log-group:/aws/sagemaker/*]"
_EXECUTIONS = "arn:aws:states:{region}:<AWS::AccountId>:execution"
_OWN_EXECUTIONS = "Any execution of this one machine: Step Functions follows those that an import starts."
_DEAD_LETTERS = "It is a dead-letter queue: who sends to it, the rule can't see."
_NOT_YET_NAMED = "SageMaker names the log group after an endpoint that does not exist yet."
_UPLOADER = "The uploader of the console's files is CDK's own; it can't be given less."

_EXPORT_FILES = "AwsSolutions-IAM5[Resource::{published:data:FnGetAttExports25637AFBArn9B1D22E2}/tenants/*]"

_REASONS: Mapping[str, Mapping[str, str]] = {
    "data": {
        "AwsSolutions-S1": "Access logs would hold document names, which are content; use CloudTrail data events.",
    },
    "memory": {
        "AwsSolutions-OS1": "Only a trial environment has a public domain, and it answers signed requests alone.",
        "AwsSolutions-OS3": "Requests are signed and each role names the domain; functions have no known addresses.",
        "AwsSolutions-OS4": "A single node of a trial environment needs no dedicated masters; prod has three.",
        "AwsSolutions-OS7": "A single node of a trial environment has no second zone; prod has two.",
        "AwsSolutions-OS9[LogExport::SEARCH_SLOW_LOGS]": "Slow logs hold whole queries, which are content.",
        "AwsSolutions-OS9[LogExport::INDEX_SLOW_LOGS]": "Slow logs hold whole passages, which are content.",
    },
    "models": {
        "AwsSolutions-SMG4": "The provider issues the key and a person replaces it; AWS can't rotate it.",
        _ANYTHING: "Logging in to a container registry knows no resource.",
        _CONTAINER_LOGS: _NOT_YET_NAMED,
    },
    "answer": {
        **_FUNCTIONS,
        "AwsSolutions-SF1": "Failures are logged; every event would cost more than the run, and the run log has them.",
        "AwsSolutions-IAM5[Resource::{published:memory:FnGetAttSearchDomainAB6007CDArn72E3B33A}/*]": _PASSAGES,
    },
    "ingest": {
        **_FUNCTIONS,
        "AwsSolutions-SF1": _STANDARD,
        "AwsSolutions-SQS3": _DEAD_LETTERS,
        "AwsSolutions-IAM5[Resource::{published:memory:FnGetAttSearchDomainAB6007CDArn72E3B33A}/*]": _PASSAGES,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttSourcesBE4D2488Arn5766F05D}/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttWorkBF636A8BArn498CB51D}/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttWorkBF636A8BArn498CB51D}/*/imports/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttWorkBF636A8BArn498CB51D}/_reindexes/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::<ImportMachine4E0279DF>/*]": _OWN_EXECUTIONS,
        f"AwsSolutions-IAM5[Resource::{_EXECUTIONS}:<ImportMachine4E0279DF.Name>/*:*]": _OWN_EXECUTIONS,
        f"AwsSolutions-IAM5[Resource::{_EXECUTIONS}:<ReindexMachine857BD4E2.Name>/*:*]": _OWN_EXECUTIONS,
        f"AwsSolutions-IAM5[Resource::{_EXECUTIONS}:<IngestMachine47F3F059.Name>:*]": _OWN_EXECUTIONS,
    },
    "erasure": {
        **_FUNCTIONS,
        "AwsSolutions-SF1": _STANDARD,
        "AwsSolutions-SQS3": _DEAD_LETTERS,
        "AwsSolutions-IAM5[Resource::{published:memory:FnGetAttSearchDomainAB6007CDArn72E3B33A}/*]": _PASSAGES,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttSourcesBE4D2488Arn5766F05D}/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttWorkBF636A8BArn498CB51D}/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttExports25637AFBArn9B1D22E2}/*]": _OBJECTS,
        _EXPORT_FILES: _OBJECTS,
    },
    "infer": {
        **_FUNCTIONS,
        "AwsSolutions-SF1": _STANDARD,
        "AwsSolutions-SQS3": _DEAD_LETTERS,
        _CONTAINER_LOGS: _NOT_YET_NAMED,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttWorkBF636A8BArn498CB51D}/*]": _OBJECTS,
    },
    "api": {
        **_FUNCTIONS,
        "AwsSolutions-IAM5[Resource::{published:memory:FnGetAttSearchDomainAB6007CDArn72E3B33A}/*]": _PASSAGES,
        _EXPORT_FILES: _OBJECTS,
        "AwsSolutions-APIG2": "The function validates, with errors that name the field and the remedy.",
        "AwsSolutions-APIG3": _WEB_ACL,
        "AwsSolutions-APIG4": "The functions authenticate, so that a revoked key stops working at once.",
        "AwsSolutions-COG4": "Callers are programs with API keys, not users of a pool.",
        "AwsSolutions-IAM4[Policy::{managed}/service-role/AmazonAPIGatewayPushToCloudWatchLogs]": (
            "The account's one role for gateway logs needs this very policy."
        ),
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttSourcesBE4D2488Arn5766F05D}/*]": _OBJECTS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttWorkBF636A8BArn498CB51D}/*]": _OBJECTS,
    },
    "money": {
        **_FUNCTIONS,
        "AwsSolutions-IAM5[Resource::{published:data:FnGetAttExports25637AFBArn9B1D22E2}/*]": _OBJECTS,
    },
    "console": {
        "AwsSolutions-S1": "It holds the console's public files.",
        "AwsSolutions-CFR1": "Where people may use it from is the decision of the account's owner.",
        "AwsSolutions-CFR2": _WEB_ACL,
        "AwsSolutions-CFR3": "The API keeps its own access log; everything else is a public file.",
        "AwsSolutions-CFR4": "CloudFront's own certificate fixes the protocol; a domain of one's own sets TLS 1.2.",
        "AwsSolutions-L1": _UPLOADER,
        _ANYTHING: _UPLOADER,
        "AwsSolutions-IAM4[Policy::{managed}/service-role/AWSLambdaBasicExecutionRole]": _UPLOADER,
        "AwsSolutions-IAM5[Action::s3:Abort*]": _UPLOADER,
        "AwsSolutions-IAM5[Action::s3:DeleteObject*]": _UPLOADER,
        "AwsSolutions-IAM5[Action::s3:GetBucket*]": _UPLOADER,
        "AwsSolutions-IAM5[Action::s3:GetObject*]": _UPLOADER,
        "AwsSolutions-IAM5[Action::s3:List*]": _UPLOADER,
        "AwsSolutions-IAM5[Resource::<Files8E6940B8.Arn>/*]": _UPLOADER,
        "AwsSolutions-IAM5[Resource::arn:aws:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-{region}/*]": _UPLOADER,
    },
}


def acknowledge(app: App, environment: Environment) -> None:
    """Record each reason with its stack, where cdk-nag looks it up; a finding without one fails `make check`."""
    for child in app.node.children:
        if not isinstance(child, Stack):
            continue
        kind = child.stack_name.rpartition("-")[2]
        reasons = _REASONS.get(kind, {})
        for finding, reason in reasons.items():
            _note(child, _filled(finding, environment), reason)
        for arn in environment.sync_buckets:
            _note(
                child, f"AwsSolutions-IAM5[Resource::{arn}/*]", "Any object of this one bucket, which cdk.json lists."
            )
        for chain in (each for each in child.node.children if isinstance(each, Chain)):
            _acknowledge_versions(child, chain)


def _acknowledge_versions(stack: Stack, chain: Chain) -> None:
    for step in chain.steps:
        resource = step.function.node.default_child
        if isinstance(resource, CfnResource):
            _note(
                stack,
                f"AwsSolutions-IAM5[Resource::<{stack.get_logical_id(resource)}.Arn>:*]",
                "Every version of this one function: runs in flight keep the version that they began with.",
            )


def _note(stack: Stack, finding: str, reason: str) -> None:
    Validations.of(stack).acknowledge(Acknowledgment(id=finding, reason=reason))


_PUBLISHED = re.compile(r"\{published:(\w+):(\w+)\}")


def _filled(finding: str, environment: Environment) -> str:
    """Write a finding as cdk-nag does, with the region and with references to other stacks."""

    def reference(found: re.Match[str]) -> str:
        stack, output = found.groups()
        return json.dumps(
            {
                "Fn::GetStackOutput": {
                    "StackName": f"plinth-{environment.name}-{stack}",
                    "Region": environment.region,
                    "OutputName": f"PublishOutput{output}",
                }
            },
            separators=(",", ":"),
        )

    managed = finding.replace("{managed}", "arn:<AWS::Partition>:iam::aws:policy")
    return _PUBLISHED.sub(reference, managed.replace("{region}", str(environment.region)))
