"""How a function shows a SageMaker endpoint's OpenAI route who it is: a short-lived token made of its AWS credentials.

The token is the base64 of a presigned `CallWithBearerToken` URL, which `sagemaker-core` makes in the same way; no
request is made for it. Written after AWS's documentation of November 2026, not verified on AWS.
"""

from base64 import b64encode
from functools import partial

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

from plinth.adapters.provider_tokens import Token
from plinth.errors import ModelNotConfiguredError

TOKEN_SECONDS = 300
_USED_SECONDS = 240.0  # dropped before it expires, and before Lambda's own credentials, which are renewed long before
_HOST = "sagemaker.amazonaws.com"
_PREFIX = "sagemaker-api-key-"


def sagemaker_token(region: str) -> Token:
    """Return the bearer token of this process's own credentials for the region's endpoints."""
    return Token(partial(_signed, region), life_seconds=_USED_SECONDS)


def _signed(region: str) -> str:
    credentials = Session().get_credentials()
    if credentials is None:
        raise ModelNotConfiguredError("no AWS credentials to sign the endpoint's token with")
    request = AWSRequest(
        method="POST", url=f"https://{_HOST}/", headers={"host": _HOST}, params={"Action": "CallWithBearerToken"}
    )
    SigV4QueryAuth(credentials.get_frozen_credentials(), "sagemaker", region, expires=TOKEN_SECONDS).add_auth(request)
    presigned = f"{str(request.url).removeprefix('https://')}&Version=1"
    return _PREFIX + b64encode(presigned.encode()).decode()
