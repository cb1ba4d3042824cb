"""Workbooks: numbers only where Excel keeps every digit, text everywhere else, and nothing that runs."""

import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from connector.reports import workbook
from connector.reports.table import Column
from connector.reports.workbook import Sheet, workbook_bytes

MADE = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = (Column("Tenant", cut=True), Column("Quantity", right=True))


def made(*rows: tuple[str, str]) -> bytes:
    """Return a workbook of one sheet."""
    return workbook_bytes([Sheet("Usage", COLUMNS, rows)], made=MADE)


def cells(data: bytes, index: int = 0) -> list[list[Any]]:
    """Read a sheet back."""
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(index).to_python()


def part(data: bytes, name: str = "xl/worksheets/sheet1.xml") -> str:
    """Return the XML of a part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("12", 12.0),
        ("-4.50", -4.5),
        ("0.000001", 0.000001),
        ("123456789012.345", 123456789012.345),
        ("1234567890123456", "1234567890123456"),
        ("0.1234567890123456", "0.1234567890123456"),
        ("10.00 USD + 5.00 EUR", "10.00 USD + 5.00 EUR"),
        ("1e5", "1e5"),
        ("=1+1", "=1+1"),
        ("", ""),
    ],
)
def test_a_number_is_one_only_where_all_its_digits_are_kept(text: str, kept: object) -> None:
    assert cells(made(("Alder", text)))[1][1] == kept


def test_a_number_shows_the_decimals_that_it_was_written_with() -> None:
    styles = part(made(("A", "4.50"), ("B", "12")), "xl/styles.xml")
    assert 'formatCode="0.00"' in styles or 'numFmtId="2"' in styles


def test_text_is_text_also_where_it_looks_like_a_number() -> None:
    assert cells(made(("8004410101", "1")))[1][0] == "8004410101"


@settings(deadline=None, max_examples=40)
@given(st.sampled_from("=+-@\t\r|{'\""), st.text(max_size=40))
def test_no_cell_is_ever_a_formula_or_a_link(first: str, rest: str) -> None:
    for evil in (first + rest, f"http://{rest}", f"{{{first}SUM(A1)}}"):
        data = made((evil, evil))
        xml = part(data)
        assert re.search("<f[ >]", xml) is None
        assert "hyperlink" not in xml
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert not [
                name
                for name in archive.namelist()
                if re.search("vba|external|hyperlink", name, re.IGNORECASE)
            ]


def test_text_that_excel_would_take_for_an_escape_comes_back_as_it_was() -> None:
    assert (
        cells(made(("_x0041_ & <b> Bäckerei \U0001f525", "1")))[1][0] == "_x0041_ & <b> Bäckerei \U0001f525"
    )


def test_what_a_sheet_cannot_hold_is_written_out_or_cut() -> None:
    shown = cells(made(("a\x00b\ud800\u202ec", "1"), ("x" * 40_000, "1")))
    assert shown[1][0] == "a\\x00b\\ud800\\u202ec"
    assert len(shown[2][0]) == 32_767


def test_the_header_stays_in_sight_and_can_be_filtered() -> None:
    xml = part(made(("Alder", "1"), ("Birch", "2")))
    assert 'state="frozen"' in xml
    assert '<autoFilter ref="A1:B3"' in xml
    assert '<col min="1"' in xml


def test_a_table_too_long_for_one_sheet_goes_on_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    data = made(*((f"T{number}", str(number)) for number in range(5)))
    assert [cells(data, index)[0] for index in range(3)] == [["Tenant", "Quantity"]] * 3
    assert [row for index in range(3) for row in cells(data, index)[1:]] == [
        [f"T{number}", float(number)] for number in range(5)
    ]


def test_a_table_without_rows_is_a_header() -> None:
    assert cells(made()) == [["Tenant", "Quantity"]]


def test_the_same_table_makes_the_same_file() -> None:
    assert made(("Alder", "1")) == made(("Alder", "1"))
