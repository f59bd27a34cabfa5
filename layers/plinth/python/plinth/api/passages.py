"""The route that opens a citation: the passage it names, with what stands around it."""

from dataclasses import dataclass
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from plinth.api.documents import DOCUMENT_ID
from plinth.api.exchange import CurrentExchange
from plinth.contracts.memory import SearchScope, Span, StoredPassage
from plinth.errors import NotFoundError

_MOST_AROUND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageView:
    """A passage of a document; pages count from 1, positions from 0.

    `heading` is the path of headings above it; `start` and `end` are its place in the document's text, in Unicode code
    points. `above` must be read with it: title and headings, and the header of the table that it goes on with.
    """

    position: int
    text: str
    page: int | None
    heading: str | None
    above: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPassage:
    """The passage at `position` of the live version, and its neighbours, in reading order."""

    document_id: str
    name: str
    title: str
    generation: str
    position: int
    passages: list[PassageView]


def add_routes(resolver: APIGatewayRestResolver) -> None:
    """Add the route of passages."""
    resolver.get(
        "/v1/documents/<document>/passages/<position>",
        summary="Open a passage that an answer cites",
        tags=["documents"],
        operation_id="get_passage",
    )(get_passage)


def get_passage(
    document: str,
    position: str,
    exchange: CurrentExchange,
    around: Annotated[int, Query(ge=0, le=_MOST_AROUND, description="Passages on each side.")] = 1,
    generation: Annotated[
        str | None, Query(max_length=80, description="The version that a citation names; another one is not found.")
    ] = None,
) -> OpenedPassage:
    """Return the passage with its surroundings, to a caller of its tenant who holds one of its labels.

    A document that is absent, foreign, hidden, of another version or of other labels is not found, all alike.
    """
    services, caller = exchange.services, exchange.caller
    absent = NotFoundError(f"no passage {position[:20]} of {document[:40]}")
    if not (DOCUMENT_ID.fullmatch(document) and _is_position(position)):
        raise absent
    live = services.documents.live_generations(caller.tenant, [document]).get(document)
    if live is None or (generation is not None and generation != live):
        raise absent
    place = int(position)
    span = Span(document_id=document, generation=live, first=max(0, place - around), last=place + around)
    index = services.documents.corpus(caller.tenant).indexes.live
    found = services.memory.named(index).around(SearchScope(tenant=caller.tenant, held=caller.labels), [span])
    cited = next((each for each in found if each.position == place), None)
    if cited is None:
        raise absent
    return OpenedPassage(
        document_id=document,
        name=cited.name,
        title=cited.title,
        generation=live,
        position=place,
        passages=[_view(each) for each in found],
    )


def _view(found: StoredPassage) -> PassageView:
    return PassageView(
        position=found.position,
        text=found.text,
        page=found.page,
        heading=found.heading,
        above=found.above,
        start=found.start,
        end=found.end,
    )


def _is_position(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6
