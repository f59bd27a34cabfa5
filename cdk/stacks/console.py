"""How people reach Plinth in a browser: one CloudFront origin for the console's files and for the API."""

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigateway as gateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from cdk.constructs.layer_shelf import REPOSITORY
from cdk.environments import Environment

STREAM_READ_TIMEOUT = Duration.seconds(60)


class ConsoleStack(Stack):
    """A private bucket that only CloudFront reads, and /v1 behind the same host, so that no CORS is needed."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, rest: gateway.RestApi) -> None:
        super().__init__(scope, construct_id, env=environment.place)
        files = s3.Bucket(
            self,
            "Files",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=environment.removal_policy,
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(files),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
            ),
            additional_behaviors={"/v1/*": _uncached(rest)},
        )
        deployment.BucketDeployment(
            self,
            "Upload",
            sources=[deployment.Source.asset(str(REPOSITORY / "console"))],
            destination_bucket=files,
            distribution=distribution,
        )
        CfnOutput(self, "ConsoleUrl", value=f"https://{distribution.distribution_domain_name}")


def _uncached(rest: gateway.RestApi) -> cloudfront.BehaviorOptions:
    return cloudfront.BehaviorOptions(
        origin=origins.RestApiOrigin(rest, read_timeout=STREAM_READ_TIMEOUT),
        allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
        cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
        origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
    )
