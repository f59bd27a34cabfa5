"""How long a call to AWS may take, and which of its failures a later try may mend."""

from collections.abc import Generator
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from plinth.errors import PlinthError, StoreUnavailableError

# Two attempts of at most 4 s, at most 1 s apart (botocore, standard mode), end inside the shortest function timeout, so
# that a call that hangs is an error with a name; the state machines retry beyond that. tests/asl/test_deadlines.py.
CALLS = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
BRIEF_CALLS = CALLS.merge(Config(read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1}))
"""For what may as well be left undone."""

# Presigned uploads need s3v4, and a checksum parameter would bind them to a body that is not there yet.
S3_CALLS = CALLS.merge(Config(signature_version="s3v4", request_checksum_calculation="when_required"))

_PASSING_CODES = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)

ENDPOINT_BUSY_CODES = frozenset({"ModelNotReadyException", "ThrottlingException", "TooManyRequestsException"})
"""What SageMaker answers where an endpoint takes no more calls just now."""


def error_code(error: ClientError) -> str:
    """Return AWS's name of a failure."""
    return error.response.get("Error", {}).get("Code", "Unknown")


@contextmanager
def store_errors(service: str) -> Generator[None]:
    """Raise `StoreUnavailableError` where a later try may succeed, `PlinthError` where AWS refuses the call itself.

    Only the failure's name is kept: AWS's texts can quote what was sent.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(service, error) from error
    except ParamValidationError as error:
        raise PlinthError(f"{service} can't take this call's parameters") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise StoreUnavailableError(f"{service} did not answer: {type(error).__name__}") from error


def _translated(service: str, error: ClientError) -> PlinthError:
    """Return what the failure means; the SDK puts the status for the code of an error whose body was cut short."""
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _PASSING_CODES or status >= 500 or code.isdigit():
        return StoreUnavailableError(f"{service} answered {code}: try again later")
    return PlinthError(f"{service} refuses the call: {code}")
