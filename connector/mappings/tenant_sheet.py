"""The tenant map as CSV, for people who do this in Excel: read with all its faults by row, or written.

A whole number is an id and anything else is a name; an apostrophe in front makes a name of any cell.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.errors import CommandFault
from connector.mappings.scalars import flaw
from connector.mappings.wording import did_you_mean, quoted
from connector.model import Reference, tenant_id_of
from connector.reports.sheet import guarded, joined, unguarded
from connector.reports.sheet_text import sheet_text

COLUMNS = ("tenant id", "name", "company", "agreement", "sync")
LARGEST = 8 * 1024 * 1024
MOST_ROWS = 100_000
MOST_FAULTS = 100

_LARGEST_ID = 2**63 - 1
_DELIMITERS = ",;\t"
# Excel writes booleans in the language of the person; a sheet of ours holds true and false.
_SYNC: Mapping[str, bool | None] = {
    "": None,
    **dict.fromkeys(("true", "yes", "1", "on", "wahr", "vrai", "verdadero", "vero", "waar"), True),
    **dict.fromkeys(("false", "no", "0", "off", "falsch", "faux", "falso", "onwaar"), False),
}
_DIGITS = re.compile(r"[0-9]+")
# What Excel would read as a number, a date or a boolean, and write in its own way.
_REWRITTEN = re.compile(r"[\d\s.,:/eE%-]+|true|false", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """What a sheet says of one tenant; None is an empty cell. `number` is the row as Excel counts."""

    tenant_id: str
    name: str = ""
    company: Reference | None = None
    agreement: Reference | None = None
    sync: bool | None = None
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, order=True)
class SheetFlaw:
    """One fault of a sheet, in a row counted as Excel does: the header is row 1."""

    row: int
    message: str


class SheetFault(CommandFault):
    """A sheet is at fault; `flaws` holds every one of them, in order of the rows."""

    code = "SHEET"

    def __init__(self, path: str, flaws: Sequence[SheetFlaw]) -> None:
        """Put all faults of the sheet at `path` into one message."""
        count = "1 fault" if len(flaws) == 1 else f"{len(flaws)} faults"
        shown = "".join(f"\n  row {each.row}: {each.message}" for each in flaws[:MOST_FAULTS])
        rest = len(flaws) - MOST_FAULTS
        more = f"\n  and {rest} more from row {flaws[MOST_FAULTS].row} on" if rest > 0 else ""
        super().__init__(
            f"{path} has {count}.\n{shown}{more}\n\nNothing was changed.",
            "Mend the sheet, save it as CSV UTF-8 and run the same command again.",
        )
        self.path = path
        self.flaws = tuple(flaws)


def sheet_of(rows: Iterable[Row]) -> bytes:
    """Return rows as a sheet that Excel opens, and that reads back as the same rows."""
    cells = (
        (
            _cell(row.tenant_id),
            _cell(_CONTROL.sub(_escaped, " ".join(row.name.split()))),
            _reference_cell(row.company),
            _reference_cell(row.agreement),
            "" if row.sync is None else str(row.sync).lower(),
        )
        for row in rows
    )
    return joined((COLUMNS, *cells)).encode("utf-8-sig", "backslashreplace")


def read_sheet(data: bytes, path: str = "The sheet") -> tuple[Row, ...]:
    """Return the rows of a sheet as Excel or we have written it; `path` names it in messages.

    UTF-8, UTF-16 with a byte order mark or Windows-1252; commas, semicolons or tabs; columns in any order.
    Raises SheetFault with all faults.
    """
    flaws: list[SheetFlaw] = []
    rows: list[Row] = []
    try:
        header, records = _records(_text(data))
        places = _places(header, flaws)
        if places:
            rows += _rows(records, places, flaws)
    except _Unreadable as stop:
        flaws.append(stop.flaw)
    if flaws:
        raise SheetFault(path, sorted(flaws))
    return tuple(rows)


class _Unreadable(Exception):
    """The sheet cannot be read to its end."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.flaw = SheetFlaw(row, message)


# Writing -----------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    return f"'{text}" if _REWRITTEN.fullmatch(text) else guarded(text)


def _reference_cell(reference: Reference | None) -> str:
    if reference is None:
        return ""
    return str(reference) if isinstance(reference, int) else _cell(reference)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


# Reading -----------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise _Unreadable(1, f"the file is larger than {LARGEST // 1024**2} MiB and was not read")
    if data.startswith(b"PK\x03\x04"):
        raise _Unreadable(1, "this is a workbook; save the sheet as CSV UTF-8")
    text = sheet_text(data)
    if text is not None:
        return text
    raise _Unreadable(1, "the file is no text that can be read; save the sheet as CSV UTF-8")


def _records(text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header, and the other records with the number of their row."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(_DELIMITERS, key=lambda each: _known(first, each))
    records = _numbered(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    _, header = next(records, (1, []))
    return header, records


def _known(line: str, delimiter: str) -> int:
    return sum(_title(cell.strip('"')) in COLUMNS for cell in line.split(delimiter))


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        number += 1
        try:
            record = next(reader, None)
        except csv.Error:
            raise _Unreadable(number, "a quote is not closed, or text follows one that is") from None
        if record is None:
            return
        if number > MOST_ROWS + 1:
            raise _Unreadable(number, f"more than {MOST_ROWS} rows; split the sheet")
        yield number, record


def _title(cell: str) -> str:
    return " ".join(cell.replace("_", " ").split()).casefold()


def _places(header: Sequence[str], flaws: list[SheetFlaw]) -> dict[str, int]:
    """Return where each column is, or nothing where that is not clear; faults go to `flaws`."""
    titles = [_title(cell) for cell in header]
    for title in dict.fromkeys(titles):
        if title and title not in COLUMNS:
            flaws.append(SheetFlaw(1, f"unknown column {quoted(title)}{did_you_mean(title, COLUMNS)}"))
        elif title and titles.count(title) > 1:
            flaws.append(SheetFlaw(1, f"the column {quoted(title)} is there {titles.count(title)} times"))
    missing = [column for column in COLUMNS if column not in titles]
    if missing:
        flaws.append(SheetFlaw(1, f"no column {' and no column '.join(map(quoted, missing))}"))
    clear = all(titles.count(column) == 1 for column in COLUMNS)
    return {title: at for at, title in enumerate(titles) if title} if clear else {}


def _rows(
    records: Iterable[tuple[int, list[str]]], places: Mapping[str, int], flaws: list[SheetFlaw]
) -> Iterator[Row]:
    """Yield the rows; as soon as one is at fault the others are read for their faults only."""
    seen: dict[str, int] = {}
    for number, record in records:
        cells = [cell.strip() for cell in record]
        if not any(cells):
            continue
        reader = _RowReader(number, cells, places)
        row = reader.row()
        first = seen.setdefault(row.tenant_id, number)
        if row.tenant_id and first != number:
            reader.refuse(f"tenant id: the same as in row {first}")
        flaws += reader.flaws
        yield row


class _RowReader:
    """Reads the cells of one row and keeps what is wrong with them."""

    def __init__(self, number: int, cells: Sequence[str], places: Mapping[str, int]) -> None:
        self._number = number
        self._cells = cells
        self._places = places
        self.flaws: list[SheetFlaw] = []

    def refuse(self, message: str) -> None:
        self.flaws.append(SheetFlaw(self._number, message))

    def row(self) -> Row:
        columns = set(self._places.values())
        if any(cell for at, cell in enumerate(self._cells) if at not in columns):
            self.refuse("more cells than columns; put text with a comma or semicolon in quotes")
        row = Row(
            tenant_id=self._tenant_id(),
            name=self._name(),
            company=self._reference("company"),
            agreement=self._reference("agreement"),
            sync=self._sync(),
            number=self._number,
        )
        if row.agreement is not None and not self._raw("company"):
            self.refuse("agreement: an agreement without a company; name the company too")
        return row

    def _raw(self, column: str) -> str:
        at = self._places[column]
        return self._cells[at] if at < len(self._cells) else ""

    def _tenant_id(self) -> str:
        tenant_id = tenant_id_of(unguarded(self._raw("tenant id")))
        problem = flaw(tenant_id)
        if problem:
            self.refuse(f"tenant id: {problem}")
        return tenant_id

    def _name(self) -> str:
        name = " ".join(unguarded(self._raw("name")).split())
        if _CONTROL.search(name):
            self.refuse("name: holds a control character; type it anew")
        return name

    def _reference(self, column: str) -> Reference | None:
        raw = self._raw(column)
        if not raw:
            return None
        if not _DIGITS.fullmatch(raw):
            text = unguarded(raw).strip()
            problem = flaw(text)
            if problem:
                self.refuse(f"{column}: {problem}")
            return text
        if raw.startswith("0") or len(raw) > len(str(_LARGEST_ID)) or int(raw) > _LARGEST_ID:
            self.refuse(f"{column}: {quoted(raw)} is no id; if it is the name, write '{raw[:40]}")
            return None
        return int(raw)

    def _sync(self) -> bool | None:
        said = unguarded(self._raw("sync")).strip().casefold()
        if said not in _SYNC:
            self.refuse(f"sync: {quoted(said)} is neither true nor false")
            return None
        return _SYNC[said]
