"""CSV for spreadsheets: what a vendor calls a customer must never run as a formula there.

An apostrophe in front makes text of a formula. Excel in half of Europe splits at semicolons whatever the
file says, so what follows one is treated as the beginning of a cell as well.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from connector.reports.escape import printable

_FORMULA = "[=+@\uff1d\uff0b\uff20\uff0d-]"
_RUNS = re.compile(rf"^(?=\s*{_FORMULA})|(;\s*)(?={_FORMULA})")
_CHANGES = re.compile(rf"^(?=\s*{_FORMULA}|[\t\r\n'])|(;\s*)(?='*{_FORMULA})")
_GUARDED = re.compile(rf"^'|(;\s*)'(?='*{_FORMULA})")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as CSV with CRLF: no cell runs or steers a terminal, and numbers stay numbers."""
    return joined([_harmless(cell) for cell in row] for row in (header, *rows))


def joined(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV with CRLF, their cells as they are."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def guarded(text: str) -> str:
    """Return text as a cell that does not run; `unguarded` gives back exactly this text."""
    return _CHANGES.sub(r"\1'", text)


def unguarded(cell: str) -> str:
    """Return the text that a cell was made of."""
    return _GUARDED.sub(r"\1", cell)


def _harmless(cell: str) -> str:
    """Return a cell that nobody reads back, so an apostrophe that is part of a name stays alone."""
    return cell if _NUMBER.fullmatch(cell) else _RUNS.sub(r"\1'", printable(cell))
