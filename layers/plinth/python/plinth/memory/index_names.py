"""What an index is called: by whose vectors it holds, the mapping it was made with, and the reindex that made it.

`passages-m3-2` is the index of the embedding model of `passages`, under mapping 3, made by reindex 2.
"""

import re
from dataclasses import dataclass

from plinth.contracts.indexes import TenantIndexes

_NAME = re.compile(r"(?P<model>.+?)-m(?P<mapping>[0-9]+)(?:-(?P<number>[0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexName:
    """The parts of a name. Vectors of indexes with one `model` can be copied; the first index has the number 0."""

    model: str
    mapping: int
    number: int = 0

    def __str__(self) -> str:
        """Return the name as the search engine knows it."""
        return f"{self.model}-m{self.mapping}" + (f"-{self.number}" if self.number else "")


def index_name(text: str) -> IndexName:
    """Return the parts of a name that this module has made."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise ValueError(f"index {text!r}: not called <model>-m<mapping>")
    return IndexName(model=found["model"], mapping=int(found["mapping"]), number=int(found["number"] or 0))


def by_model(indexes: TenantIndexes) -> dict[str, list[str]]:
    """Return a tenant's indexes by the model whose vectors they hold."""
    found: dict[str, list[str]] = {}
    for index in indexes.all:
        found.setdefault(index_name(index).model, []).append(index)
    return found
