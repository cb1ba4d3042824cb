"""A distributor's file is read whatever program saved it, and what is none is refused in one sentence."""

import io
import random
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from consumption.consumption_files import HEADER, ROW, book_file, csv_file, repacked, xlsx_file

from connector.consumption import Consumption, FileFault, read_consumption
from connector.model import ImportRules

OZGUR = ("2026-10-01", "2026-10-31", "Özgür Café", "Sophos Endpoint - User", "12")


def read(data: bytes, sheet: str | None = None, **rules: object) -> Consumption:
    return read_consumption(data, ImportRules(**rules), sheet)  # type: ignore[arg-type]


def refused(data: bytes, sheet: str | None = None, **rules: object) -> str:
    with pytest.raises(FileFault) as caught:
        read(data, sheet, **rules)
    assert caught.value.exit_code == 2
    assert caught.value.message.endswith("Nothing was imported.")
    assert caught.value.next_step
    return caught.value.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "#"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_delimiter_and_encoding_is_read(delimiter: str, encoding: str) -> None:
    (row,) = read(
        csv_file(HEADER, [*OZGUR[:3], f"A{delimiter}B", "12"], delimiter=delimiter, encoding=encoding)
    ).rows

    assert row.text("customer") == "Özgür Café"
    assert row.text("product") == f"A{delimiter}B".replace("\t", " ")
    assert (row.start, row.end, row.quantity) == (date(2026, 10, 1), date(2026, 10, 31), Decimal(12))
    assert not row.faults


def test_what_excel_says_of_its_delimiter_counts() -> None:
    (row,) = read(b"sep=;\r\n" + csv_file(HEADER, ROW, delimiter=";")).rows
    assert (row.number, row.quantity) == (3, Decimal(12))


def test_columns_are_found_by_their_text_below_titles_in_any_case_and_order() -> None:
    header = [
        "TOTAL_QUANTITY ",
        "x",
        "product  description",
        "End user identifier:",
        " end date",
        "Start Date",
    ]
    data = csv_file(
        ["Consumption report"], [], ["made", "today"], header, ["3", "", "P", "C", "2026-10-31", "2026-10-01"]
    )
    (row,) = read(data).rows

    assert (row.number, row.text("customer"), row.text("product"), row.quantity) == (5, "C", "P", Decimal(3))


def test_a_column_of_another_name_is_declared() -> None:
    header = (*HEADER[:4], "How Many", "Total Quantity")
    assert read(csv_file(header, (*ROW, "99"))).rows[0].quantity == 99
    assert read(csv_file(header, (*ROW, "99")), columns={"quantity": "how many"}).rows[0].quantity == 12


def test_prices_come_with_the_currency_of_their_column_cell_or_header() -> None:
    own = read(csv_file((*HEADER, "Unit Price", "Currency"), (*ROW, "1.25", "eur"))).rows[0]
    cell = read(csv_file((*HEADER, "Unit Price"), (*ROW, "1,25 €"))).rows[0]
    header = read(csv_file((*HEADER, "Unit Price (USD)", "Unit MSRP (USD)"), (*ROW, "$1.25", ""))).rows[0]
    both = read(csv_file((*HEADER, "Unit Price", "Currency"), (*ROW, "1.25 €", "USD"))).rows[0]

    assert own.prices == {"price": (Decimal("1.25"), "EUR")}
    assert cell.prices == {"price": (Decimal("1.25"), "EUR")}
    assert header.prices == {"price": (Decimal("1.25"), "USD")}
    assert both.faults == ['unit price: "1.25 €", but the currency is "USD"']


@pytest.mark.parametrize("since_1904", [False, True])
def test_a_workbook_has_numbers_and_dates_and_counts_days_its_way(since_1904: bool) -> None:
    serial = (date(2026, 10, 31) - (date(1904, 1, 1) if since_1904 else date(1899, 12, 30))).days
    data = xlsx_file(
        (*HEADER, "Unit Price"),
        (date(2026, 10, 1), serial, "Alder", "P", 12, 0.1 + 0.2),
        (date(2026, 10, 1), "31.10.2026", "Alder", "P", "1.234,5", 1.4),
        date_1904=since_1904,
    )
    first, second = read(data).rows

    assert (first.start, first.end, first.quantity) == (date(2026, 10, 1), date(2026, 10, 31), Decimal(12))
    assert first.prices["price"][0] == Decimal("0.3")
    assert (second.end, second.quantity) == (date(2026, 10, 31), Decimal("1234.5"))
    assert not first.faults + second.faults


def test_the_sheet_with_usage_is_found_and_two_are_asked_about() -> None:
    notes, usage = [["read me"]], [HEADER, ROW]

    assert read(book_file({"Notes": notes, "October": usage, ".Old": usage})).sheet == "October"
    assert "2 sheets hold usage: A, B" in refused(book_file({"A": usage, "B": usage}))
    assert read(book_file({"A": usage, "B": usage}), "b").sheet == "B"
    assert read(book_file({"A": usage, ".Old": usage}), "Old").sheet == "Old"
    assert "no sheet 'C'" in refused(book_file({"A": usage}), "C")
    assert "sheet of a workbook" in refused(csv_file(HEADER, ROW), "A")


def bomb() -> bytes:
    return repacked(xlsx_file(HEADER, ROW), {"xl/worksheets/sheet1.xml": b" " * (60 * 1024 * 1024)})


def far_out() -> bytes:
    cell = b'<sheetData><row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return repacked(
        xlsx_file(HEADER, ROW), {"xl/worksheets/sheet1.xml": b"<worksheet>" + cell + b"</worksheet>"}
    )


def locked() -> bytes:
    data = bytearray(xlsx_file(HEADER, ROW))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(mark)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(mark, start + 4)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (xlsx_file(), "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "neither a workbook (XLSX) nor text"),
        (b"%PDF-1.4\nabc\n", "one column only"),
        (b"Start Date\n2026-10-01\n", "one column only"),
        (csv_file([f"c{at}" for at in range(300)]), "300 columns"),
        (xlsx_file([f"c{at}" for at in range(300)]), "300 columns"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
            "protected by a password, or is a workbook of the old",
        ),
        (locked(), "protected by a password"),
        (repacked(xlsx_file(HEADER, ROW), {"xl/vbaProject.bin": b"x"}), "holds macros"),
        (repacked(xlsx_file(HEADER, ROW), {"xl/workbook.xml": None, "xl/workbook.bin": b"x"}), "no workbook"),
        (repacked(xlsx_file(HEADER, ROW), {"xl/workbook.xml": b"<x"}), "damaged"),
        (repacked(xlsx_file(HEADER, ROW), {f"x/{at}": b"" for at in range(1001)}), "as no program builds"),
        (xlsx_file(HEADER, ROW)[:-40], "damaged"),
        (bomb(), "unpacks to far more"),
        (far_out(), "reaches to row 1048576 and column 16384"),
        (b"x" * (64 * 1024 * 1024 + 1), "larger than 64 MiB"),
        (csv_file(HEADER[:4], ROW[:4]), "no column Total Quantity"),
        (csv_file((*HEADER, HEADER[4]), ROW), "is there 2 times in row 1"),
        (b'a,b\n"x,y\n', "Row 2 cannot be read"),
        (b"sep=\x0b\r\na,b\n", "one column only"),
        (b'sep="\r\na,b\n', "one column only"),
        (b"sep=;\r\n", "empty"),
        (b"a,b\n" * 200_001, "more than 200000 rows"),
    ],
    ids=range(25),
)
def test_a_file_that_is_none_is_refused_in_one_sentence(data: bytes, told: str) -> None:
    message = refused(data)

    assert told in message
    assert message.isprintable()


def test_a_declared_size_that_lies_is_found_while_unpacking() -> None:
    data = bytearray(bomb())
    size = (60 * 1024 * 1024).to_bytes(4, "little")
    at = data.find(size)
    while at >= 0:
        data[at : at + 4] = (1000).to_bytes(4, "little")
        at = data.find(size, at)

    assert "damaged" in refused(bytes(data))


def test_random_bytes_are_a_fault_and_never_a_bug() -> None:
    chance = random.Random(5)
    whole = xlsx_file(HEADER, ROW)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert len(read(bytes(data)).rows) <= 1
        except FileFault:
            continue


def test_dates_that_can_be_two_are_refused_until_the_order_is_declared() -> None:
    data = csv_file(HEADER, ("10/01/2026", "10/02/2026", *ROW[2:]))

    assert "not clear: 10/01/2026" in refused(data)
    assert read(data, dates="dmy").rows[0].start == date(2026, 1, 10)
    assert read(data, dates="mdy").rows[0].start == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (("x", *ROW[1:]), 'start date: "x" is no date'),
        ((ROW[0], "", *ROW[2:]), "no end date"),
        ((ROW[1], ROW[0], *ROW[2:]), "it ends on 2026-10-01, before it starts on 2026-10-31"),
        ((ROW[0], "2026-12-01", *ROW[2:]), "it runs from 2026-10-01 to 2026-12-01, over more than a month"),
        ((*ROW[:3], "", "1"), "no product description"),
        ((*ROW[:4], ""), "no quantity"),
        ((*ROW[:4], "a dozen"), 'quantity: "a dozen" is no number'),
        ((*ROW[:4], "1.2345678"), 'quantity: "1.2345678" is no quantity that can be billed'),
        ((*ROW[:4], "9999999999"), 'quantity: "9999999999" is no quantity that can be billed'),
        (
            (*ROW[:4], "1,234"),
            'quantity: "1,234" is one number with a decimal point and another with a comma',
        ),
        ((*ROW, "-1"), 'unit price: "-1" is no price'),
        ((*ROW, "free"), 'unit price: "free" is no number'),
        ((*ROW, "1", "more"), "more cells than columns"),
    ],
    ids=range(13),
)
def test_a_damaged_row_says_what_is_wrong_and_the_others_are_read(cells: tuple[str, ...], fault: str) -> None:
    good, bad = read(csv_file((*HEADER, "Unit Price"), ROW, cells)).rows

    assert not good.faults
    assert [each for each in bad.faults if fault in each], bad.faults


def test_an_end_on_the_first_of_the_next_month_ends_the_month_before() -> None:
    (row,) = read(csv_file(HEADER, (ROW[0], "2026-11-01", *ROW[2:]))).rows
    assert not row.faults


@pytest.mark.parametrize(
    "total",
    [
        ("", "", "Total", "", "12"),
        ("", "", "", "Grand Total", "12"),
        ("Total", "", "", "", "12"),
        ("", "", "", "", "12"),
        ("", "", "Alder Total", "", "12"),
    ],
)
def test_a_row_that_adds_up_is_no_usage(total: tuple[str, ...]) -> None:
    usage, added = read(csv_file(HEADER, ROW, total)).rows
    assert (usage.total, added.total) == (False, True)


def test_a_customer_may_be_called_total() -> None:
    (row,) = read(csv_file(HEADER, (*ROW[:2], "Total", *ROW[3:]))).rows
    assert not row.total


def test_a_workbook_whose_cells_are_no_text_and_no_number_fails_row_by_row() -> None:
    odd = xlsx_file(HEADER, (*ROW[:4], 77.25))
    part = zipfile.ZipFile(io.BytesIO(odd)).read("xl/worksheets/sheet1.xml").replace(b"77.25", b"NaN")
    (row,) = read(repacked(odd, {"xl/worksheets/sheet1.xml": part})).rows
    assert row.faults == ['quantity: "nan" is no number']
    empty = xlsx_file(HEADER, [], ROW, (*ROW[:4], True))
    assert [each.number for each in read(empty).rows] == [3, 4]


def test_a_column_that_ends_like_a_currency_is_no_other_column() -> None:
    assert read(csv_file((*HEADER, "Quantity VAT"), (*ROW, "x"))).rows[0].quantity == 12


def test_a_header_that_comes_again_is_no_row() -> None:
    assert len(read(csv_file(HEADER, ROW, HEADER, ROW)).rows) == 2
