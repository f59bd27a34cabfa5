"""How the search engine is called: signed as its kind wants it, with timeouts, failures in our words."""

from collections.abc import Generator
from contextlib import contextmanager

import boto3
import msgspec
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import ConnectionError as UnreachableError
from opensearchpy.exceptions import OpenSearchException, TransportError

from plinth.errors import MemoryUnavailableError, PlinthError
from plinth.settings import SearchAuth

# To connect, and again to read: two attempts end inside the shortest timeout of a function that searches.
_TIMEOUT_SECONDS = 7
_PASSING_STATUSES = frozenset({408, 429})


def connect(url: str, *, auth: SearchAuth) -> OpenSearch:
    """Return a client of the engine at `url`, which tries once more after a failure.

    Requests are signed for `es` (domain) or `aoss` (serverless) with the function's own role, or not at all.
    """
    signer = _signer(auth) if auth != "none" else None
    return OpenSearch(hosts=[url], http_auth=signer, timeout=_TIMEOUT_SECONDS, max_retries=1, retry_on_timeout=True)


def _signer(service: str) -> Urllib3AWSV4SignerAuth:
    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise PlinthError(f"search requests are signed for {service}: give the function a role, or set AWS credentials")
    return Urllib3AWSV4SignerAuth(credentials, session.region_name, service)


@contextmanager
def memory_errors() -> Generator[None]:
    """Raise `MemoryUnavailableError` where a later try may succeed, `PlinthError` where the request is refused."""
    try:
        yield
    except UnreachableError as error:
        raise MemoryUnavailableError("the search engine did not answer: try again later") from error
    except TransportError as error:
        raise refusal(error.status_code, error.error) from error
    except (OpenSearchException, msgspec.ValidationError) as error:
        raise MemoryUnavailableError(f"the search engine's answer can't be read: {type(error).__name__}") from error


def refusal(status: object, kind: str) -> PlinthError:
    """Return the error of a status that the engine gave to a request or to a part of it."""
    if isinstance(status, int) and status < 500 and status not in _PASSING_STATUSES:
        return PlinthError(f"the search engine refuses the request: {status} {kind}")
    return MemoryUnavailableError(f"the search engine answered {status} {kind}: try again later")
