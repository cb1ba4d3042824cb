"""Consumption files as distributors make them: rows of words -> CSV or XLSX."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import xlsxwriter

HEADER = ("Start Date", "End Date", "End User Identifier", "Product Description", "Total Quantity")
ROW = ("2026-10-01", "2026-10-31", "Alder Dental Group", "Sophos Endpoint - User", "12")


def csv_file(*rows: Sequence[object], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """Return rows as CSV with CRLF."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_file(*rows: Sequence[object], sheet: str = "Usage", **options: object) -> bytes:
    """Return rows as a workbook: numbers as numbers, dates as dates."""
    return book_file({sheet: rows}, **options)


def book_file(sheets: Mapping[str, Sequence[Sequence[object]]], **options: object) -> bytes:
    """Return sheets as a workbook; one whose name begins with a dot is hidden."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, options) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name.lstrip("."))
            if name.startswith("."):
                sheet.hide()
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, date):
                        sheet.write_datetime(at, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
                    elif isinstance(value, int | float):
                        sheet.write_number(at, column, value)
                    else:
                        sheet.write_string(at, column, str(value))
    return made.getvalue()


def repacked(
    data: bytes, parts: Mapping[str, bytes | None], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return a workbook with other parts; None leaves one out."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", compression) as new:
        for info in old.infolist():
            if info.filename not in parts:
                new.writestr(info.filename, old.read(info))
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
    return made.getvalue()
