"""XLSX -> cells. A workbook is a zip: it is unpacked under limits first, and only what that gave is read."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite

from connector.consumption.cells import MOST_COLUMNS, MOST_ROWS, Cell, FileFault, Line, Sheet

_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MOST_PARTS = 1000
_LARGEST_UNPACKED = 256 * 1024 * 1024
_LARGEST_RATIO = 250
_RATIO_FROM = 4 * 1024 * 1024
_MOST_CELLS = 8_000_000
_READ = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(?:workbook|styles|sharedStrings)\.xml|"
    r"xl/_rels/workbook\.xml\.rels|xl/worksheets/[^/]+\.xml",
    re.IGNORECASE,
)
_SHEET = re.compile(r"xl/worksheets/", re.IGNORECASE)
_FILLED = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*["']([A-Za-z]{1,4})(\d{1,8})["'][^>]*(?<!/)>""")
_SINCE_1904 = re.compile(
    rb"""<(?:\w+:)?workbookPr\b[^>]*\sdate1904\s*=\s*["'](?:1|true|on)["']""", re.IGNORECASE
)
_SAVE = "Open it, save the sheet with the usage as XLSX or CSV UTF-8 and import that."


def read_workbook(data: bytes, wanted: str | None) -> tuple[Sheet, ...]:
    """Return the sheets of a workbook that may hold usage: the `wanted` one, or all that people see.

    Raises FileFault.
    """
    from python_calamine import (  # noqa: PLC0415  for the few files that are workbooks
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    if data.startswith(OLE):
        raise FileFault("The file is protected by a password, or is a workbook of the old kind (XLS).", _SAVE)
    parts = _unpacked(data)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(_packed(parts))) as book:
            shown = [
                each.name
                for each in book.sheets_metadata
                if each.typ is SheetTypeEnum.WorkSheet
                and (each.visible is SheetVisibleEnum.Visible or each.name == wanted)
            ]
            names = [name for name in shown if wanted is None or _same(name, wanted)]
            if not names:
                which = f"sheet {wanted!r}" if wanted is not None else "sheet that people see"
                listed = f"Its sheets: {', '.join(shown)}." if shown else _SAVE
                raise FileFault(f"The workbook has no {which}.", listed)
            workbooks = (part for name, part in parts.items() if name.lower() == "xl/workbook.xml")
            since_1904 = any(_SINCE_1904.search(part) for part in workbooks)
            return tuple(
                Sheet(name, _lines(book.get_sheet_by_name(name).to_python(skip_empty_area=False)), since_1904)
                for name in names
            )
    except (CalamineError, OSError, ValueError) as error:
        raise FileFault("The workbook is damaged and cannot be read.", _SAVE) from error


def _same(name: str, wanted: str) -> bool:
    return name.strip().casefold() == wanted.strip().casefold()


def _unpacked(data: bytes) -> dict[str, bytes]:
    """Return the parts that are read, once all that they declare is under the limits."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            listed = packed.infolist()
            _check(listed, len(data))
            parts: dict[str, bytes] = {}
            for info in listed:
                if not _READ.fullmatch(info.filename):
                    continue
                with packed.open(info) as part:
                    # Never more than declared: what goes on beyond that fails its checksum.
                    content = part.read()
                if _SHEET.match(info.filename):
                    _check_extent(content)
                parts[info.filename] = content
            return parts
    except _DAMAGE as error:
        message = "The workbook is damaged, or protected by a password, and cannot be read."
        raise FileFault(message, _SAVE) from error


def _check(listed: Sequence[zipfile.ZipInfo], size: int) -> None:
    names = {info.filename.lower() for info in listed}
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) for name in names):
        raise FileFault("The workbook holds macros and was not opened.", "Save it as XLSX, without macros.")
    if "xl/workbook.xml" not in names:
        raise FileFault("The file is no workbook of the kind XLSX.", _SAVE)
    if len(listed) > _MOST_PARTS or len(names) < len(listed):
        raise FileFault("The workbook is built as no program builds one, so it was not opened.", _SAVE)
    unpacked = sum(info.file_size for info in listed)
    if unpacked > _LARGEST_UNPACKED or (unpacked > _RATIO_FROM and unpacked > _LARGEST_RATIO * size):
        raise _too_large()


def _too_large() -> FileFault:
    return FileFault(
        "The workbook unpacks to far more than a month's usage can be, so it was not opened.",
        "Copy the rows of the usage into a new workbook and import that.",
    )


def _check_extent(sheet: bytes) -> None:
    """Refuse a sheet with a cell so far out that the cells up to it would fill the memory."""
    last_row = last_column = 0
    for letters, digits in _FILLED.findall(sheet):
        last_row = max(last_row, int(digits))
        last_column = max(last_column, _column(letters))
    if last_row > MOST_ROWS or last_row * last_column > _MOST_CELLS:
        raise FileFault(
            f"A sheet reaches to row {last_row} and column {last_column}, which no month's usage does.",
            "Delete what stands far out, or copy the rows of the usage into a new workbook.",
        )


def _column(letters: bytes) -> int:
    column = 0
    for letter in letters.upper():
        column = column * 26 + letter - 64
    return column


def _packed(parts: dict[str, bytes]) -> bytes:
    """Return the parts as a workbook again, so that the reader sees nothing else."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


def _lines(rows: Sequence[Sequence[object]]) -> tuple[Line, ...]:
    return tuple(_filled(rows))


def _filled(rows: Sequence[Sequence[object]]) -> Iterator[Line]:
    for number, row in enumerate(rows, start=1):
        cells = [_cell(value) for value in row]
        while cells and cells[-1] == "":
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise FileFault(
                f"Row {number} has {len(cells)} columns; a consumption file has {MOST_COLUMNS} at most.",
                "Name the right file, or the right sheet: --sheet NAME.",
            )
        if cells:
            yield Line(number, cells)


def _cell(value: object) -> Cell:
    match value:
        case bool():
            return str(value).upper()
        case int():
            return Decimal(value)
        case float() if isfinite(value):
            # Excel computes with floats and shows 15 digits of them: these are what a person sees.
            return Decimal(f"{value:.15g}")
        case datetime():
            return value.date()
        case date():
            return value
        case _:
            return str(value).strip()
