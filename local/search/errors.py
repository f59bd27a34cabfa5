"""How a refusal looks to a client: OpenSearch's error shape, with its types and statuses.

SearchRequestError
  one class for every refusal; `kind` is OpenSearch's snake_case error type, `status` the HTTP status.
"""


class SearchRequestError(Exception):
    """A request that the engine refuses, or an item of a bulk request that failed."""

    def __init__(self, reason: str, *, kind: str = "illegal_argument_exception", status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.status = status

    def cause(self) -> dict[str, object]:
        """Return the `error` of one bulk item: type and reason."""
        return {"type": self.kind, "reason": self.reason}

    def body(self) -> dict[str, object]:
        """Return the whole response body: error with its root_cause, and status."""
        return {"error": {"root_cause": [self.cause()], **self.cause()}, "status": self.status}


def parsing_error(reason: str) -> SearchRequestError:
    """Return a query or body that is not in the served subset."""
    return SearchRequestError(reason, kind="parsing_exception")


def mapping_error(reason: str) -> SearchRequestError:
    """Return a mapping, or a document that does not fit its mapping."""
    return SearchRequestError(reason, kind="mapper_parsing_exception")


def missing_index(name: str) -> SearchRequestError:
    """Return a request for an index that was not created."""
    return SearchRequestError(f"no such index [{name}]", kind="index_not_found_exception", status=404)
