"""The laptop's templates hold only what the embedded cloud makes, for real."""

from tests.cdk.conftest import Synthesized

MADE_BY_THE_EMBEDDED_CLOUD = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}
OUTPUTS = {
    "TenantsTable",
    "RunsTable",
    "ConversationsTable",
    "DocumentsTable",
    "AnswersTable",
    "DocumentsBucket",
    "WorkBucket",
    "SearchUrl",
    "AnthropicSecretArn",
    "OpenAiSecretArn",
    "AnswerMachineArn",
    "IngestMachineArn",
    "EraseMachineArn",
    "ChangesQueueUrl",
    "RefusedDocumentsQueueUrl",
    "LostEventsQueueUrl",
    "RestApiId",
    "Stage",
    "InferMachineArn",
    "InferencesLocation",
    "LostNoticesQueueUrl",
    "SuccessTopicArn",
    "ErrorTopicArn",
    "ApiUrl",
}


def test_the_local_templates_use_only_types_that_the_embedded_cloud_makes(synthesized: Synthesized) -> None:
    templates = synthesized("local").templates.values()
    used = {resource["Type"] for template in templates for resource in template["Resources"].values()}
    assert used <= MADE_BY_THE_EMBEDDED_CLOUD


def test_the_launcher_finds_every_output_that_it_needs(synthesized: Synthesized) -> None:
    templates = synthesized("local").templates.values()
    assert {name for template in templates for name in template.get("Outputs", {})} >= OUTPUTS


def test_aws_templates_hold_what_the_embedded_cloud_lacks(synthesized: Synthesized) -> None:
    assert synthesized("prod").resources("AWS::SageMaker::InferenceComponent")
    assert synthesized("prod").resources("AWS::CloudFront::Distribution")
    assert synthesized("dev").resources("AWS::OpenSearchServerless::Collection")


def test_no_stack_exports_a_value_that_another_could_hold_on_to(synthesized: Synthesized) -> None:
    for environment in ("local", "prod"):
        for name, template in synthesized(environment).templates.items():
            assert not [each for each in template.get("Outputs", {}).values() if "Export" in each], name
