"""How the search engine is called: signed as its kind wants it, with timeouts, failures in our words."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import ConnectionError as UnreachableError
from opensearchpy.exceptions import OpenSearchException, TransportError

from plinth.errors import MemoryUnavailableError, PlinthError

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_TIMEOUT_SECONDS = 10
_PASSING_STATUSES = frozenset({408, 429})


def opensearch_client(
    *, url: str, auth: str, region: str | None = None, credentials: "Credentials | None" = None
) -> OpenSearch:
    """Return a client of the engine at `url`; `auth` is none, es (domain) or aoss (serverless).

    It tries once more after a failure; every request that it makes may be made twice.
    """
    signer = None
    if auth != "none":
        if credentials is None or region is None:
            raise PlinthError(f"search requests are signed for {auth}: give the region and credentials to sign with")
        signer = Urllib3AWSV4SignerAuth(credentials, region, auth)
    return OpenSearch(hosts=[url], http_auth=signer, timeout=_TIMEOUT_SECONDS, max_retries=1, retry_on_timeout=True)


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
