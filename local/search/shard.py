"""Which documents a search sees: the live rows of one index, held in memory under each field's own index."""

import numpy as np

from local.search.columns import Column
from local.search.documents import ReadDocument
from local.search.mapping import BooleanField, KeywordField, Mappings, NumberField, TextField, VectorField
from local.search.numeric import NumberIndex
from local.search.terms import KeywordIndex, Mask, WordIndex
from local.search.vectors import VectorIndex


class Shard:
    """The rows of one index. A row is never reused: a new version of a document is a new row at the end."""

    def __init__(self, mappings: Mappings) -> None:
        fields = mappings.properties.items()
        self.words = {name: WordIndex() for name, kind in fields if isinstance(kind, TextField)}
        self.keywords = {name: KeywordIndex() for name, kind in fields if isinstance(kind, KeywordField | BooleanField)}
        self.numbers = {name: NumberIndex() for name, kind in fields if isinstance(kind, NumberField)}
        self.vectors = {name: VectorIndex(kind) for name, kind in fields if isinstance(kind, VectorField)}
        self.ids: list[str] = []
        self.keys: list[int] = []
        self.row_of: dict[str, int] = {}
        self._live: Column[np.bool_] = Column(np.bool_)

    @property
    def live(self) -> Mask:
        """Which rows are neither deleted nor replaced; valid until the next change."""
        return self._live.first(len(self.ids))

    def put(self, identifier: str, key: int, document: ReadDocument) -> None:
        """Show a document, stored under `key`, in place of the one that had its identifier."""
        self.drop(identifier)
        row = len(self.ids)
        self.ids.append(identifier)
        self.keys.append(key)
        self.row_of[identifier] = row
        self._live[row] = True
        for name, terms in document.terms.items():
            (self.words[name] if name in self.words else self.keywords[name]).add(row, terms)
        for name, numbers in document.numbers.items():
            self.numbers[name].add(row, numbers)
        for name, vector in document.vectors.items():
            self.vectors[name].add(row, vector)

    def drop(self, identifier: str) -> None:
        """Hide the document with this identifier, if one is shown."""
        row = self.row_of.pop(identifier, None)
        if row is None:
            return
        self._live[row] = False
        for fields in (self.words, self.keywords, self.numbers, self.vectors):
            for index in fields.values():
                index.remove(row)

    def rows_filled(self, name: str) -> Mask:
        """Which live rows have a value in a field."""
        for fields in (self.words, self.keywords, self.numbers, self.vectors):
            if name in fields:
                return fields[name].rows_filled(self.live)
        raise KeyError(name)
