"""Answers that say more than 200: a status of their own, and where the thing that was made or begun can be read."""

from typing import TypeVar

from aws_lambda_powertools.event_handler import Response

JSON = "application/json"
Body = TypeVar("Body")


def created(body: Body, *, at: str) -> Response[Body]:
    """Return 201 with the path of what was made."""
    return Response(status_code=201, content_type=JSON, body=body, headers={"Location": at})


def accepted(body: Body, *, at: str | None = None) -> Response[Body]:
    """Return 202, with the path of what tells how it goes on, where that is another than the body's."""
    return Response(status_code=202, content_type=JSON, body=body, headers={"Location": at} if at else None)
