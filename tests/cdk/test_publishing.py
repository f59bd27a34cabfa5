"""A service of AWS may tell or fill what it is pointed at: where a policy is given, SNS and SQS let in nobody else."""

from typing import Any

from tests.cdk.assemblies import Assembly, as_list


def _admitted(assembly: Assembly, kind: str, service: str, action: str) -> dict[str, list[dict[str, Any]]]:
    """Return the conditions under which the service may do this, by the topic or queue."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, policy in assembly.resources(kind).items():
        for each in policy["Properties"]["PolicyDocument"]["Statement"]:
            allowed = each["Effect"] == "Allow" and action in as_list(each["Action"])
            if allowed and each["Principal"] == {"Service": service}:
                found.setdefault(f"{name.partition('/')[0]} {each['Resource']}", []).append(each["Condition"])
    return found


def test_every_alarm_may_tell_its_topic_and_no_other_account_may(everything: Assembly) -> None:
    admitted = _admitted(everything, "AWS::SNS::TopicPolicy", "cloudwatch.amazonaws.com", "sns:Publish")
    told = {
        f"{name.partition('/')[0]} {action}"
        for name, alarm in everything.resources("AWS::CloudWatch::Alarm").items()
        for action in alarm["Properties"].get("AlarmActions", [])
        if "Alarms" in str(action)
    }

    assert told
    assert told == set(admitted)
    assert list(admitted.values()) == [[{"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}]]


def test_every_rule_may_fill_its_queue_and_the_one_for_what_it_could_not_deliver(everything: Assembly) -> None:
    admitted = _admitted(everything, "AWS::SQS::QueuePolicy", "events.amazonaws.com", "sqs:SendMessage")
    queues = {
        f"{name.partition('/')[0]} {arn}"
        for name, rule in everything.resources("AWS::Events::Rule").items()
        for target in rule["Properties"]["Targets"]
        for arn in (target["Arn"], target.get("DeadLetterConfig", {}).get("Arn"))
        if arn and "Function" not in str(arn)
    }

    assert len(queues) == 2
    assert queues <= set(admitted)


def test_a_subscription_may_put_what_nobody_took_into_its_queue(everything: Assembly) -> None:
    admitted = _admitted(everything, "AWS::SQS::QueuePolicy", "sns.amazonaws.com", "sqs:SendMessage")
    queues = {
        f"{name.partition('/')[0]} {each['Properties']['RedrivePolicy']['deadLetterTargetArn']}"
        for name, each in everything.resources("AWS::SNS::Subscription").items()
    }

    assert queues
    assert queues <= set(admitted)


def test_the_endpoint_may_tell_the_topics_of_its_ends_by_its_own_role(everything: Assembly) -> None:
    (config,) = (
        each["Properties"]["AsyncInferenceConfig"]["OutputConfig"]["NotificationConfig"]
        for each in everything.resources("AWS::SageMaker::EndpointConfig").values()
        if "AsyncInferenceConfig" in each["Properties"]
    )
    (publishing,) = (each for _, each in everything.statements() if "sns:Publish" in as_list(each["Action"]))

    topics = [config["SuccessTopic"], config["ErrorTopic"]]
    assert sorted(map(str, as_list(publishing["Resource"]))) == sorted(map(str, topics))
