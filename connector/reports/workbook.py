"""Tables as an Excel workbook, in memory. Nothing in it runs: what a vendor wrote is text, and stays text."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.reports.escape import printable
from connector.reports.table import Column, columns_of

MOST_ROWS = 1_048_575
"""So many rows fit onto a sheet below its header."""

_LONGEST_CELL = 32_767
_WIDEST = 60
_EXACT_DIGITS = 15
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?", re.ASCII)
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; a column whose cells stand on the right holds numbers, where they are some."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


def workbook_bytes(sheets: Sequence[Sheet], *, made: datetime) -> bytes:
    """Return an XLSX file; a table that is too long for one sheet goes on on the next.

    A number is one in Excel only where that keeps all its digits; else it is text.
    """
    import xlsxwriter  # noqa: PLC0415  for the few commands that make a workbook

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, _OPTIONS)
    book.set_properties({"created": made.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bottom": 1})
    formats: dict[int, object] = {}
    for sheet in sheets:
        for start in range(0, max(len(sheet.rows), 1), MOST_ROWS):
            part = start // MOST_ROWS
            page = book.add_worksheet(sheet.name if part == 0 else f"{sheet.name} {part + 1}")
            rows = sheet.rows[start : start + MOST_ROWS]
            widths = [columns_of(column.title) + 3 for column in sheet.columns]  # room for the filter's arrow
            for at, column in enumerate(sheet.columns):
                page.write_string(0, at, column.title, head)
            for number, row in enumerate(rows, start=1):
                for at, text in enumerate(row):
                    shown = printable(text, width=_LONGEST_CELL)
                    widths[at] = max(widths[at], columns_of(shown) + 1)
                    places = _places(shown) if sheet.columns[at].right else None
                    if places is None:
                        page.write_string(number, at, shown)
                    else:
                        if places not in formats:
                            digits = f"0.{'0' * places}" if places else "0"
                            formats[places] = book.add_format({"num_format": digits})
                        page.write_number(number, at, float(shown), formats[places])
            for at, width in enumerate(widths):
                page.set_column(at, at, min(width, _WIDEST))
            page.freeze_panes(1, 0)
            page.autofilter(0, 0, len(rows), len(sheet.columns) - 1)
    book.close()
    return file.getvalue()


def _places(text: str) -> int | None:
    """Return how many decimals a number has that a spreadsheet keeps exactly, or None for any other text."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    digits = re.sub(r"\D", "", text).lstrip("0")
    return len(found[1] or "") if len(digits) <= _EXACT_DIGITS else None
