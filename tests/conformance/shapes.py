"""Which shapes of requests and refusals the suite has compared, and how those that a test sends are recorded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import Transport, TransportError

from local.search.shapes import refusals, shapes

OF_THE_CLIENT = {"ignore", "request_timeout"}  # parameters that it keeps to itself
FILE = Path(__file__).with_name("our_requests.txt")


def listed() -> frozenset[str]:
    """Return the shapes that the suite holds."""
    return frozenset(FILE.read_text().splitlines())


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch, is_ours: Callable[[Transport], bool]) -> Iterator[set[str]]:
    """Note the shape of every request of our clients and of what was refused; an index is told without its name."""
    sent: set[str] = set()
    perform: Callable[..., Any] = Transport.perform_request

    def note(transport: Transport, method: str, url: str, **options: Any) -> Any:
        if not is_ours(transport):
            return perform(transport, method, url, **options)
        parameters = set(options.get("params") or ()) - OF_THE_CLIENT
        sent.update(shapes(method, url, options.get("body"), parameters))
        try:
            answer = perform(transport, method, url, **options)
        except TransportError as error:
            if isinstance(error.status_code, int):
                sent.update(refusals(method, url, error.status_code, error.info))
            raise
        if isinstance(answer, bool):  # of a HEAD
            sent.update(refusals(method, url, 200 if answer else 404, None))
        else:
            sent.update(refusals(method, url, 200, answer))
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(Transport, "perform_request", note)
        yield sent
