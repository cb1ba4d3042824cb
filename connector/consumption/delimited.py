"""CSV, with whatever delimiter and encoding it was saved -> cells."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

from connector.consumption.cells import MOST_COLUMNS, MOST_ROWS, FileFault, Line, Sheet
from connector.reports.sheet_text import sheet_text

_USUAL = ",;\t|"
_SAID = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_NEVER = frozenset("\"'\r\n ()-_./&")
_LOOKED_AT = 50
_SAVE = "Save the sheet as CSV UTF-8 or as XLSX and import that."


def read_delimited(data: bytes, known: Callable[[Sequence[str]], int]) -> Sheet:
    """Return the rows of a CSV file; `known` counts the columns that a row names. Raises FileFault."""
    text = sheet_text(data)
    if text is None:
        raise FileFault("The file is neither a workbook (XLSX) nor text that can be read.", _SAVE)
    said = _SAID.match(text)
    if said is not None:
        lines = list(_lines(text[said.end() :], str(said[1]), first=2))
    else:
        lines = list(_lines(text, _delimiter(text, known)))
    if not lines:
        raise FileFault("The file is empty.", "Export the month's consumption again.")
    if all(len(line.cells) == 1 for line in lines):
        raise FileFault(
            "The file has one column only: no delimiter splits its rows.",
            "Save it with commas, semicolons or tabs between the columns.",
        )
    return Sheet("", lines)


def _delimiter(text: str, known: Callable[[Sequence[str]], int]) -> str:
    """Return what splits the first rows into the most columns that have a name."""
    top = "\n".join(text[:100_000].splitlines()[:_LOOKED_AT])
    others = sorted(letter for letter in set(top) if not letter.isalnum() and letter not in _NEVER)
    tried: list[str] = [*_USUAL, *(letter for letter in others if letter not in _USUAL)]
    found = {each: max(map(known, _roughly(top, each)), default=0) for each in tried}
    return max(tried, key=lambda each: found[each])


def _roughly(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter)
    except (csv.Error, TypeError, ValueError):
        return


def _lines(text: str, delimiter: str, first: int = 1) -> Iterator[Line]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except (csv.Error, TypeError, ValueError):
        raise FileFault(f"The file is split at {delimiter!a}, it says, which cannot be.", _SAVE) from None
    number = first - 1
    while True:
        number += 1
        try:
            record = next(reader, None)
        except csv.Error:
            raise FileFault(
                f"Row {number} cannot be read: a quote is not closed, text follows one that is, or a cell "
                "is too long.",
                _SAVE,
            ) from None
        if record is None:
            return
        if number > MOST_ROWS:
            raise FileFault(f"The file has more than {MOST_ROWS} rows.", "Import one month and one reseller.")
        cells = [cell.strip() for cell in record]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise FileFault(
                f"Row {number} has {len(cells)} columns; a consumption file has {MOST_COLUMNS} at most.",
                "Name the right file.",
            )
        if cells:
            yield Line(number, cells)
