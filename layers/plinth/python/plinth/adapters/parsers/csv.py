"""CSV: each row a paragraph in which every value has its column's name, so that no passage needs the header."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from plinth.adapters.parsers.text import title_from_name
from plinth.contracts.memory import ParsedDocument, Section
from plinth.errors import DocumentRefusedError
from plinth.memory.detection import decode_text

MAX_CELLS = 1_000_000
MAX_COLUMNS = 1_000
MAX_CELL_CHARACTERS = 20_000
_SAMPLE = 2_048
_DELIMITERS = ",;\t|"
_OF_SPREADSHEET = re.compile(rf"sep=([{_DELIMITERS}])\n", re.IGNORECASE)


def parse_csv(name: str, body: bytes) -> ParsedDocument:
    """Return one section of rows; the first row names the columns, unless its names are missing or there twice."""
    text = decode_text(body)
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        rows = "\n\n".join(_rows(_records(text)))
    except csv.Error as error:
        raise DocumentRefusedError(
            "unreadable_csv", f"a row can't be read ({error}; a cell has at most {MAX_CELL_CHARACTERS} characters)"
        ) from error
    return ParsedDocument(title=title_from_name(name), sections=(Section(text=rows),))


def _records(text: str) -> Iterator[list[str]]:
    """Return the cells of each row. How they are quoted is not guessed: the first quote may stand far below."""
    told = _OF_SPREADSHEET.match(text)
    if told:
        return csv.reader(io.StringIO(text[told.end() :], newline=""), delimiter=told[1])
    try:
        seen = csv.Sniffer().sniff(text[: text.rfind("\n", 0, _SAMPLE) + 1] or text[:_SAMPLE], _DELIMITERS)
    except csv.Error:
        seen = csv.excel
    table = io.StringIO(text, newline="")
    return csv.reader(table, delimiter=seen.delimiter, skipinitialspace=seen.skipinitialspace)


def _rows(records: Iterable[list[str]]) -> Iterator[str]:
    names: Sequence[str] | None = None
    cells = 0
    for row in records:
        cells += len(row)
        if cells > MAX_CELLS or len(row) > MAX_COLUMNS:
            most = f"{MAX_CELLS} cells and {MAX_COLUMNS} columns"
            raise DocumentRefusedError("too_many_cells", f"the table has more than {most}; split it")
        values = [" ".join(value.split()) for value in row]
        if not any(values):
            continue
        if names is None:
            names = _names(values)
            if names:
                continue
        yield _told(names, values)


def _names(values: Sequence[str]) -> Sequence[str]:
    """Return what the first row calls the columns, but for unnamed last ones; a title in its first cell names none."""
    named = max((at for at, value in enumerate(values, start=1) if value), default=0)
    names = values[: max(named, 2)]
    return names if all(names) and len(set(names)) == len(names) else ()


def _told(names: Sequence[str], values: Sequence[str]) -> str:
    """Return the values with their names; those beyond the names stand alone."""
    named = (f"{name}: {value}" for name, value in zip(names, values, strict=False) if value)
    return "; ".join((*named, *(value for value in values[len(names) :] if value)))
