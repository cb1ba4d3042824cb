"""Finds the columns of a consumption file by their header text, never by their letter."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.consumption.cells import Cell, FileFault, Sheet
from connector.model import IMPORT_COLUMNS, ImportColumn

_TITLE_ROWS = 50
_MOST_SHOWN = 12
_CURRENCY = re.compile(r"[(\[]\s*([A-Z]{3})\s*[)\]]|(?<=\s)(?:in )?([A-Z]{3})$")
_NOISE = re.compile(r"[\s_]+")

# The best name first: where a file has two of them, the first counts.
_SYNONYMS: dict[ImportColumn, tuple[str, ...]] = {
    "customer": (
        "end user identifier", "assigned account identifier", "end user", "end user name", "end customer",
        "end customer name", "customer name", "customer", "account name", "tenant name", "client name",
        "company name", "endkunde", "kunde", "client final", "cliente",
    ),
    "tenant_id": ("tenant id", "account id", "sophos tenant id", "central account id", "end user id"),
    "start": (
        "start date", "billing start date", "period start", "start", "from date", "service start date",
        "startdatum", "date de début", "fecha de inicio",
    ),
    "end": (
        "end date", "billing end date", "period end", "end", "to date", "service end date", "enddatum",
        "date de fin", "fecha de fin",
    ),
    "product": (
        "product description", "product name", "description", "product", "item description",
        "produktbeschreibung", "beschreibung", "désignation", "descripción",
    ),
    "quantity": (
        "total quantity", "billable quantity", "total qty", "quantity", "qty", "gesamtmenge", "menge",
        "quantité", "cantidad",
    ),
    "serial": (
        "serial number", "account number or serial number", "account number/serial number", "serial",
        "serial no", "serial no.", "device serial", "seriennummer",
    ),
    "sku": ("sku", "product sku", "part number", "manufacturer part number", "mpn", "vendor sku"),
    "code": ("product code", "license code", "licence code", "sophos product code", "produktcode"),
    "group": ("product group", "product type"),
    "msrp": ("unit msrp", "msrp", "unit list price", "list price", "rrp", "unit rrp", "listenpreis"),
    "price": (
        "unit price", "unit cost", "unit net price", "net unit price", "cost price", "price", "einzelpreis",
        "prix unitaire", "precio unitario",
    ),
    "currency": (
        "currency", "unit price currency", "currency code", "price currency", "währung", "devise", "moneda",
    ),
    "msrp_currency": ("unit msrp currency", "msrp currency"),
    "reason": ("reason",),
}  # fmt: skip
_WORDS = {
    "".join(word.split()): (column, rank)
    for column, words in _SYNONYMS.items()
    for rank, word in enumerate(words)
}
_TITLES = {column: words[0].title() for column, words in _SYNONYMS.items()}
_MONEY: tuple[ImportColumn, ...] = ("price", "msrp")
_NEEDED: tuple[ImportColumn, ...] = ("customer", "start", "end", "product", "quantity")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each column is; `labels` name every column once, `header` is the row they stand in."""

    header: int
    places: Mapping[ImportColumn, int]
    labels: Sequence[str]
    currencies: Mapping[ImportColumn, str] = field(default_factory=dict)

    @property
    def mended(self) -> bool:
        """Whether the file is one of failed rows, with a reason for each."""
        return "reason" in self.places


def known_columns(row: Sequence[str]) -> int:
    """Count the columns that the cells of a row name."""
    return len({found[0] for cell in row if (found := _meant(cell)) is not None})


def find_columns(sheets: Sequence[Sheet], declared: Mapping[ImportColumn, str]) -> tuple[Sheet, Columns]:
    """Return the sheet with the usage, and its columns; raises FileFault."""
    found = [(sheet, columns) for sheet in sheets if (columns := _columns(sheet, declared)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sheet.name for sheet, _ in found)
        raise FileFault(f"{len(found)} sheets hold usage: {names}.", "Name one: --sheet NAME.")
    raise _nothing(sheets, declared)


def _columns(sheet: Sheet, declared: Mapping[ImportColumn, str]) -> Columns | None:
    for line in sheet.lines[:_TITLE_ROWS]:
        places = _places(line.number, line.cells, declared)
        if all(column in places for column in _NEEDED):
            currencies = {
                column: code
                for column in _MONEY
                if column in places and (code := _currency(str(line.cells[places[column]])))
            }
            return Columns(line.number, places, tuple(_labels(line.cells)), currencies)
    return None


def _places(
    number: int, cells: Sequence[Cell], declared: Mapping[ImportColumn, str]
) -> dict[ImportColumn, int]:
    named: dict[ImportColumn, list[tuple[int, int]]] = {}
    said = {_folded(text): column for column, text in declared.items()}
    for at, cell in enumerate(cells):
        column = said.get(_folded(str(cell)))
        meant = (column, -1) if column is not None else _meant(str(cell))
        if meant is not None and (meant[0] not in declared or column is not None):
            named.setdefault(meant[0], []).append((meant[1], at))
    places: dict[ImportColumn, int] = {}
    for column, found in named.items():
        found.sort()
        twice = [at for rank, at in found if rank == found[0][0]]
        if len(twice) > 1 and all(needed in named for needed in _NEEDED):
            raise FileFault(
                f"The column {str(cells[twice[0]])[:60]!r} is there {len(twice)} times in row {number}.",
                "Rename all but the right one, and import the file again.",
            )
        places[column] = found[0][1]
    return places


def _nothing(sheets: Sequence[Sheet], declared: Mapping[ImportColumn, str]) -> FileFault:
    best: tuple[int, int, Sequence[Cell], dict[ImportColumn, int]] = (0, 1, (), {})
    for sheet in sheets:
        for line in sheet.lines[:_TITLE_ROWS]:
            places = _places(line.number, line.cells, declared)
            if len(places) > best[0]:
                best = (len(places), line.number, line.cells, places)
    if all(not sheet.lines for sheet in sheets):
        return FileFault("The file is empty.", "Export the month's consumption again.")
    _, number, cells, places = best
    missing = [_TITLES[column] for column in _NEEDED if column not in places]
    seen = [str(cell)[:40] for cell in cells if str(cell)][:_MOST_SHOWN]
    row = f" The nearest to a header is row {number}: {', '.join(seen)}." if seen else ""
    return FileFault(
        f"The file has no column {', no column '.join(missing)}.{row}",
        "If a column has another name, say so in mappings.yaml, such as: import: {columns: {quantity: "
        '"Total Qty"}}; it takes ' + ", ".join(IMPORT_COLUMNS) + ".",
    )


def _meant(cell: str) -> tuple[ImportColumn, int] | None:
    if len(cell) > 100:
        return None
    found = _WORDS.get(_folded(cell))
    if found is not None:
        return found
    money = _WORDS.get(_folded(_CURRENCY.sub("", cell.strip())))
    return money if money is not None and money[0] in _MONEY else None


def _currency(cell: str) -> str:
    found = _CURRENCY.search(cell.strip())
    return (found[1] or found[2]) if found and _folded(cell) not in _WORDS else ""


def _folded(text: str) -> str:
    return _NOISE.sub("", text.strip().strip("'\"").rstrip(":*").casefold())


def _labels(cells: Sequence[Cell]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for at, cell in enumerate(cells, start=1):
        label = " ".join(str(cell).split())[:100] or f"column {at}"
        seen[label] = seen.get(label, 0) + 1
        yield label if seen[label] == 1 else f"{label} ({seen[label]})"
