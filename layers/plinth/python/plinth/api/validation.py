"""Which words tell a caller what is wrong with a field: pydantic's findings, without the values that were sent."""

from collections.abc import Sequence
from typing import Protocol, TypedDict, cast

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from plinth.errors import InvalidFieldError, InvalidRequestError

_LONGEST_NAME_SHOWN = 80


class _Finding(TypedDict):
    type: str
    loc: tuple[str | int, ...]
    msg: str


class _Findings(Protocol):
    def errors(self) -> Sequence[_Finding]: ...


def refusal_of(error: RequestValidationError) -> InvalidRequestError:
    """Return the error that names the first wrong field and says what it must be."""
    first = cast("_Findings", error).errors()[0]
    field = ".".join(map(str, first["loc"][1:]))[:_LONGEST_NAME_SHOWN]
    if not field:
        return InvalidRequestError("the body must be one JSON object: send one with the fields of this route")
    match first["type"]:
        case "missing":
            return InvalidFieldError(field, "is required")
        case "extra_forbidden":
            return InvalidFieldError(field, "is not a field of this request: remove it or correct its name")
        case _:
            return InvalidFieldError(field, first["msg"][:1].lower() + first["msg"][1:])
