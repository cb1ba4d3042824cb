"""Tables for terminals and CSV for spreadsheets: aligned, harmless, and whole where it matters."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.reports.sheet import csv_text, guarded, unguarded
from connector.reports.table import Column, columns_of, cut_to, table

CODE, NAME, ITEM, UNITS = (
    Column("code"),
    Column("name", cut=True),
    Column("item", cut=True),
    Column("units", right=True),
)
COLUMNS = (CODE, NAME, ITEM, UNITS)
ROWS = [
    ("CIXA-MSP", "Sophos Endpoint - User", "SOPHOS-ENDPOINT", "1234"),
    ("CEMA-MSP", "Email", "", "7"),
]
hostile = st.text(alphabet="aé日=+-@;'\t\r\n \x1b\u0301\u202e1.,\"", max_size=12)


def test_a_table_is_aligned_with_numbers_to_the_right_and_nothing_drawn() -> None:
    assert table(COLUMNS, ROWS, None).splitlines() == [
        "code      name                    item             units",
        "CIXA-MSP  Sophos Endpoint - User  SOPHOS-ENDPOINT   1234",
        "CEMA-MSP  Email                                        7",
    ]


def test_a_line_does_not_end_in_spaces() -> None:
    assert table((CODE, NAME), [("A", "long name"), ("B", "")], None).splitlines()[2] == "B"


def test_a_table_without_rows_is_its_header() -> None:
    assert table(COLUMNS, [], 80) == "code  name  item  units"


def test_on_a_terminal_the_widest_texts_are_cut_and_never_codes_or_numbers() -> None:
    assert table(COLUMNS, ROWS, 44).splitlines() == [
        "code      name           item          units",
        "CIXA-MSP  Sophos Endpo…  SOPHOS-ENDP…   1234",
        "CEMA-MSP  Email                            7",
    ]


def test_a_terminal_too_narrow_for_the_rest_cuts_texts_to_the_least_and_no_further() -> None:
    assert table(COLUMNS, ROWS, 10).splitlines() == [
        "code      name    item    units",
        "CIXA-MSP  Sopho…  SOPHO…   1234",
        "CEMA-MSP  Email               7",
    ]


def test_a_table_that_fits_is_not_cut() -> None:
    whole = table(COLUMNS, ROWS, None)
    assert table(COLUMNS, ROWS, 56) == whole
    assert table(COLUMNS, ROWS, 55) != whole


def test_wide_characters_take_two_columns_and_accents_none() -> None:
    assert (columns_of("abc"), columns_of("日本"), columns_of("e\u0301")) == (3, 4, 1)
    lines = table((NAME, UNITS), [("日本", "1"), ("e\u0301te\u0301", "22")], None).splitlines()
    assert lines == ["name  units", "日本      1", "e\u0301te\u0301      22"]


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("abcdef", 6, "abcdef"), ("abcdef", 4, "abc…"), ("日本語", 4, "日…"), ("ab cdef", 4, "ab…")],
)
def test_a_cut_text_shows_it_and_fits(text: str, width: int, cut: str) -> None:
    assert cut_to(text, width) == cut
    assert columns_of(cut) <= width


def test_names_from_outside_cannot_steer_the_terminal_or_break_a_row() -> None:
    shown = table((NAME, UNITS), [("red \x1b[31m\r\nnext", "1")], None)
    assert shown.splitlines()[1] == "red \\x1b[31m\\x0d\\x0anext      1"


@given(st.lists(st.tuples(hostile, hostile, hostile, hostile), max_size=5), st.integers(0, 60))
def test_every_line_of_a_table_fits_or_cuts_no_more_than_it_may(
    rows: list[tuple[str, str, str, str]], width: int
) -> None:
    whole, narrow = table(COLUMNS, rows, None).split("\n"), table(COLUMNS, rows, width).split("\n")
    assert len(whole) == len(narrow) == len(rows) + 1
    fixed = table((CODE, UNITS), [(row[0], row[3]) for row in rows], None).split("\n")
    least = max(map(columns_of, fixed)) + 2 * (2 + 6)
    assert max(map(columns_of, narrow)) <= max(width, least)


# CSV


def test_a_sheet_has_a_header_quotes_and_windows_line_ends() -> None:
    assert csv_text(("a", "b"), [("x, y", 'say "hi"')]) == 'a,b\r\n"x, y","say ""hi"""\r\n'


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("-1;-2", "'-1;'-2"),
        ("\t=1", "\\x09=1"),
        ("\r=1", "\\x0d=1"),
        ("\x1b[2J", "\\x1b[2J"),
        ("-3", "-3"),
        ("12.50", "12.50"),
        ("-0.5", "-0.5"),
        ("-3 ", "'-3 "),
        ("-1e5", "'-1e5"),
        ("'t Hooft BV", "'t Hooft BV"),
        ("a-b=c", "a-b=c"),
        ("", ""),
    ],
)
def test_no_cell_from_a_vendor_runs_and_numbers_stay_numbers(cell: str, written: str) -> None:
    ((_, read),) = list(csv.reader(io.StringIO(csv_text((), [("x", cell)]), newline="")))[1:]
    assert read == written


@given(hostile)
def test_a_guarded_text_begins_like_no_formula_and_is_given_back_whole(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    for part in cell.split(";"):
        assert not part.strip().startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r", "\n"))


def test_a_text_that_is_safe_is_not_touched() -> None:
    assert guarded("Alder; Dental = fine") == "Alder; Dental = fine"
    assert guarded("'t Hooft") == "''t Hooft"
