"""A consumption file, whole: every row with what it says, and with what is wrong with it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial

from connector.consumption import amounts, days
from connector.consumption.cells import LARGEST, Cell, FileFault, Line, Sheet
from connector.consumption.columns import Columns, find_columns, known_columns
from connector.consumption.delimited import read_delimited
from connector.consumption.workbook import OLE, ZIP, read_workbook
from connector.model import ImportColumn, ImportRules, Period
from connector.reports.escape import printable
from connector.reports.sheet import unguarded

DATES: tuple[ImportColumn, ...] = ("start", "end")
MONEY: tuple[ImportColumn, ...] = ("msrp", "price")

_LONGEST = 1000
_BEYOND_ANY_QUANTITY = Decimal(10) ** 9
_BEYOND_ANY_PRICE = Decimal(10) ** 12
_QUANTITY_DECIMALS, _PRICE_DECIMALS = 6, 12
_TOTAL = re.compile(
    r"(?:(?:grand|sub|over ?all)[ -]?)?totals?|sum|summe|gesamt(?:summe)?|zwischensumme|total gén[eé]ral",
    re.IGNORECASE,
)
_SUBTOTAL = re.compile(r".+\s(?:total|summe|ergebnis)", re.IGNORECASE)


@dataclass(slots=True)
class FileRow:
    """One row of the file; `faults` say what is wrong with it. A `total` adds up rows and is no usage.

    `cells` are what is to be mended, by column.
    """

    number: int
    texts: Mapping[ImportColumn, str]
    cells: Callable[[], dict[str, str]] = dict
    total: bool = False
    start: date | None = None
    end: date | None = None
    quantity: Decimal | None = None
    prices: dict[ImportColumn, tuple[Decimal, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def text(self, column: ImportColumn) -> str:
        """Return a cell as text for people, or an empty one."""
        return self.texts.get(column, "")

    @property
    def month(self) -> Period | None:
        """The month that it bills."""
        return Period.of(self.start) if self.start is not None else None


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a file says; `mended` ones hold rows that failed before, each with its reason."""

    sheet: str
    columns: Columns
    rows: tuple[FileRow, ...]

    @property
    def mended(self) -> bool:
        """Whether it is a file of failed rows."""
        return self.columns.mended

    def months(self) -> dict[Period, int]:
        """Return the months of its rows, with the number of rows of each."""
        counts: dict[Period, int] = {}
        for row in self.rows:
            if row.month is not None and not row.total:
                counts[row.month] = counts.get(row.month, 0) + 1
        return dict(sorted(counts.items()))


def read_consumption(data: bytes, rules: ImportRules, sheet: str | None = None) -> Consumption:
    """Return all rows of a CSV or XLSX file; raises FileFault where the whole of it cannot be taken."""
    if len(data) > LARGEST:
        size = LARGEST // 1024**2
        raise FileFault(f"The file is larger than {size} MiB.", "Import one month and one reseller.")
    if not data.strip(b"\0\r\n\t ,;\xef\xbb\xbf\xff\xfe"):
        raise FileFault("The file is empty.", "Export the month's consumption again.")

    def known(cells: Sequence[str]) -> int:
        said = {text.strip().casefold() for text in rules.columns.values()}
        return known_columns(cells) + sum(cell.strip().casefold() in said for cell in cells)

    if data.startswith((ZIP, OLE)):
        sheets = read_workbook(data, sheet)
    elif sheet is not None:
        raise FileFault("--sheet names a sheet of a workbook, and the file is none.", "Leave --sheet out.")
    else:
        sheets = (read_delimited(data, known),)
    found, columns = find_columns(sheets, rules.columns)
    return Consumption(found.name, columns, tuple(_Reader(found, columns, rules).rows()))


class _Reader:
    """Reads the rows below a header, once it is clear how the file writes dates and numbers."""

    def __init__(self, sheet: Sheet, columns: Columns, rules: ImportRules) -> None:
        self._sheet = sheet
        self._columns = columns
        self._rules = rules
        header = next(line for line in sheet.lines if line.number == columns.header)
        below = [line for line in sheet.lines if line.number > columns.header]
        self._lines = [line for line in below if list(line.cells) != list(header.cells) and any(line.cells)]
        self.mended = columns.mended
        self._order = self._dates_order()
        self._marks = amounts.marks_of(self._numbers(), rules.decimal)

    def rows(self) -> Iterator[FileRow]:
        for line in self._lines:
            yield self._row(line)

    def _dates_order(self) -> days.Order | None:
        if self._rules.dates is not None:
            return self._rules.dates
        texts = (cell for column in DATES for cell in self._texts(column))
        try:
            return days.proven_order(texts, since_1904=self._sheet.since_1904)
        except ValueError as example:
            raise FileFault(
                f"The order of day and month is not clear: {printable(str(example), width=60)}.",
                "Declare it in mappings.yaml: import: {dates: dmy}, mdy or ymd; or save the file with dates "
                "such as 2026-10-31.",
            ) from None

    def _numbers(self) -> Iterator[str]:
        yield from self._texts("quantity")
        for column in MONEY:
            for text in self._texts(column):
                yield amounts.number_text(text)[0]

    def _texts(self, column: ImportColumn) -> Iterator[str]:
        for line in self._lines:
            cell = self._cell(line, column)
            if isinstance(cell, str) and cell:
                yield cell

    def _cell(self, line: Line, column: ImportColumn) -> Cell:
        at = self._columns.places.get(column)
        cell = line.cells[at] if at is not None and at < len(line.cells) else ""
        return unguarded(cell) if self.mended and isinstance(cell, str) else cell

    def _row(self, line: Line) -> FileRow:
        texts = {column: _text(self._cell(line, column)) for column in self._columns.places}
        row = FileRow(line.number, texts)
        if any(cell != "" for cell in line.cells[len(self._columns.labels) :]):
            row.faults.append("more cells than columns: text with a delimiter in it must stand in quotes")
        self._read_quantity(row, self._cell(line, "quantity"))
        row.total = _adds_up(row)
        if not row.total:
            row.start = self._day(row, line, "start")
            row.end = self._day(row, line, "end")
            _check_days(row)
            for column in MONEY:
                self._read_price(row, self._cell(line, column), column)
            if not row.text("product") and not row.text("code"):
                row.faults.append("no product description")
        row.cells = partial(self._cells, line, row)
        return row

    def _cells(self, line: Line, row: FileRow) -> dict[str, str]:
        """Return the cells to be mended: what could be read is written so that it cannot be misread."""
        columns: dict[ImportColumn, str] = {
            column: amounts.written(number, self._rules.decimal) for column, (number, _) in row.prices.items()
        }
        if row.quantity is not None:
            columns["quantity"] = amounts.written(row.quantity, self._rules.decimal)
        if row.start is not None:
            columns["start"] = row.start.isoformat()
        if row.end is not None:
            columns["end"] = row.end.isoformat()
        written = {self._columns.places[column]: text for column, text in columns.items()}
        skipped = self._columns.places.get("reason")
        return {
            label: written[at] if at in written else self._raw(line, at)
            for at, label in enumerate(self._columns.labels)
            if at != skipped
        }

    def _raw(self, line: Line, at: int) -> str:
        """Return a cell to the letter, but for what would steer a terminal."""
        cell = line.cells[at] if at < len(line.cells) else ""
        if not isinstance(cell, str):
            return _text(cell)
        return printable(" ".join((unguarded(cell) if self.mended else cell).split()))[:_LONGEST]

    def _day(self, row: FileRow, line: Line, column: ImportColumn) -> date | None:
        cell = self._cell(line, column)
        if isinstance(cell, date):
            return cell
        since_1904, last = self._sheet.since_1904, column == "end"
        if isinstance(cell, Decimal):
            day = days.serial_day(cell, since_1904=since_1904)
        else:
            found = days.readings(cell, since_1904=since_1904, last=last, year_first=self._order == "ymd")
            day = found.get(self._order) if self._order is not None else next(iter(found.values()), None)
        if day is None:
            said = f"{column} date: {_shown(_text(cell))} is no date"
            row.faults.append(said if cell != "" else f"no {column} date")
        return day

    def _read_quantity(self, row: FileRow, cell: Cell) -> None:
        if cell == "":
            row.faults.append("no quantity")
            return
        number = self._number(row, "quantity", cell)
        if number is None:
            return
        if abs(number) >= _BEYOND_ANY_QUANTITY or _decimals(number) > _QUANTITY_DECIMALS:
            row.faults.append(f"quantity: {_shown(_text(cell))} is no quantity that can be billed")
        else:
            row.quantity = number

    def _read_price(self, row: FileRow, cell: Cell, column: ImportColumn) -> None:
        if cell == "":
            return
        noun = "unit MSRP" if column == "msrp" else "unit price"
        text, named = amounts.number_text(cell) if isinstance(cell, str) else ("", "")
        number = self._number(row, noun, text or cell)
        if number is None:
            return
        if not 0 <= number <= _BEYOND_ANY_PRICE or _decimals(number) > _PRICE_DECIMALS:
            row.faults.append(f"{noun}: {_shown(_text(cell))} is no price")
            return
        own = row.text("msrp_currency") if column == "msrp" else ""
        said = (own or row.text("currency")).upper()
        if said and named and said != named:
            row.faults.append(f"{noun}: {_shown(_text(cell))}, but the currency is {_shown(said)}")
            return
        row.prices[column] = (number, said or named or self._columns.currencies.get(column, ""))

    def _number(self, row: FileRow, noun: str, cell: Cell) -> Decimal | None:
        if isinstance(cell, Decimal):
            return cell
        try:
            number = None if isinstance(cell, date) else self._marks.number(cell)
        except amounts.Ambiguous:
            row.faults.append(
                f"{noun}: {_shown(_text(cell))} is one number with a decimal point and another with a comma; "
                "declare in mappings.yaml import: {decimal: point} or comma"
            )
            return None
        if number is None:
            row.faults.append(f"{noun}: {_shown(_text(cell))} is no number")
        return number


def _adds_up(row: FileRow) -> bool:
    """Whether a row is a sum of others: no product of its own, and called a total or of no customer."""
    if row.quantity is None and not any(fault.startswith("quantity") for fault in row.faults):
        return False
    product, customer = row.text("product"), row.text("customer")
    if row.text("code") or row.text("serial"):
        return False
    if not product and not customer:
        labels = any(_TOTAL.fullmatch(row.text(column)) for column in ("start", "end", "sku", "tenant_id"))
        return labels or not (row.text("start") or row.text("end"))
    if not customer:
        return bool(_TOTAL.fullmatch(product))
    if not product:
        dated = row.text("start") or row.text("end")
        return bool(_TOTAL.fullmatch(customer)) or (not dated and bool(_SUBTOTAL.fullmatch(customer)))
    return False


def _check_days(row: FileRow) -> None:
    if row.start is None or row.end is None:
        return
    if row.end < row.start:
        row.faults.append(f"it ends on {row.end}, before it starts on {row.start}")
        return
    after = Period.of(row.end)
    whole = after == Period.of(row.start) or (row.end.day == 1 and after.previous == Period.of(row.start))
    if not whole:
        row.faults.append(f"it runs from {row.start} to {row.end}, over more than a month")


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _text(cell: Cell) -> str:
    """Return a cell as text for people: what cannot be seen is a blank, as in what Sophos sends."""
    if isinstance(cell, Decimal):
        return amounts.written(cell, None)
    text = str(cell)[:_LONGEST]
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.strip()


def _shown(text: str) -> str:
    return f'"{printable(text, width=60)}"'


def totals_off(rows: Iterable[tuple[int, Decimal | None]], number: int, since: int, said: Decimal) -> str:
    """Return why a total in row `number` is not the sum of the rows above, nor of those from `since` on."""
    every = part = Decimal(0)
    for at, quantity in rows:
        if at >= number:
            break
        if quantity is None:
            return f"the total cannot be checked before row {at} is mended"
        every += quantity
        part += quantity if at >= since else 0
    if said in {every, part}:
        return ""
    told, added = amounts.written(said, None), amounts.written(every, None)
    return f"the total says {told}, and the rows above add up to {added}"
