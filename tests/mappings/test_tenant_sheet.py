"""The tenant map in Excel: what is exported reads back the same, and all faults are told by row."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import CommandFault
from connector.mappings import tenant_sheet
from connector.mappings.scalars import flaw
from connector.mappings.tenant_sheet import Row, SheetFault, read_sheet, sheet_of
from connector.model import tenant_id_of

HEADER = "tenant id,name,company,agreement,sync"
ALDER = "223c98b5-d39e-4c60-afde-892a53de496c"


def read(*lines: str, header: str = HEADER) -> tuple[Row, ...]:
    return read_sheet("\r\n".join((header, *lines)).encode())


def faults(*lines: str, header: str = HEADER) -> list[tuple[int, str]]:
    with pytest.raises(SheetFault) as caught:
        read(*lines, header=header)
    return [(each.row, each.message) for each in caught.value.flaws]


# Round trip

texts = st.text(st.sampled_from("aZé日 =+-@;,'\"0123456789./:%E\u200b\u00a0\t\n"), max_size=12)
words = texts.map(str.strip).filter(lambda text: not flaw(text))
references = st.none() | words | st.integers(1, 2**63 - 1) | st.integers(1, 9999).map(str)
flags = st.none() | st.booleans()
with_company = st.builds(Row, words.map(tenant_id_of), texts, references.filter(bool), references, flags)
without_company = st.builds(Row, words.map(tenant_id_of), texts, st.none(), st.none(), flags)


@given(st.lists(with_company | without_company, unique_by=lambda row: row.tenant_id, max_size=8))
@example([Row("007", "TRUE", "4711", 4711, sync=True)])
@example([Row("'", "'=1", "''", "'4711", sync=False)])
@example([Row("=1", ";=1", "a; '-1", "24/7", sync=None), Row("-", "1E5", "true", "Mar;@x")])
def test_what_is_exported_reads_back_the_same(rows: list[Row]) -> None:
    expected = [
        Row(row.tenant_id, " ".join(row.name.split()), row.company, row.agreement, row.sync) for row in rows
    ]
    found = read_sheet(sheet_of(rows))
    assert list(found) == expected
    assert [row.number for row in found] == list(range(2, len(rows) + 2))
    assert sheet_of(found) == sheet_of(rows)


@given(st.lists(with_company, max_size=4))
def test_no_exported_cell_runs_as_a_formula(rows: list[Row]) -> None:
    for record in csv.reader(io.StringIO(sheet_of(rows).decode("utf-8-sig"), newline="")):
        for part in (part.strip() for cell in record for part in cell.split(";")):
            assert not part.startswith(("=", "+", "-", "@"))


def test_an_exported_sheet_is_what_excel_opens() -> None:
    data = sheet_of([Row(ALDER, "Bäckerei", "AlderDental", 118, sync=True), Row("b", "B", "4711"), Row("c")])
    assert data == (
        b"\xef\xbb\xbf"
        + f"{HEADER}\r\n{ALDER},Bäckerei,AlderDental,118,true\r\nb,B,'4711,,\r\nc,,,,\r\n".encode()
    )


def test_a_name_with_control_characters_is_exported_written_out() -> None:
    (row,) = read_sheet(sheet_of([Row("a", "two\nlines\x1b[2J\ud800")]))
    assert row.name == "two lines\\u001b[2J\\ud800"


@pytest.mark.parametrize(
    "text", ["4711", "007", "24/7", "2024-25", "1E5", "12.50", "10:30", "TRUE", "=1", "-x", "'x"]
)
def test_text_that_excel_would_rewrite_or_run_is_exported_behind_an_apostrophe(text: str) -> None:
    sheet = sheet_of([Row("a", "", text, text)])
    assert f"a,,'{text},'{text}," in sheet.decode("utf-8-sig")


# Reading


def test_whole_numbers_are_ids_and_all_else_is_a_name() -> None:
    (row,) = read(f" urn:uuid:{ALDER.upper()} , Alder   Dental ,250, Managed Security ,TRUE")
    assert row == Row(ALDER, "Alder Dental", 250, "Managed Security", sync=True)
    assert row.number == 2
    (row,) = read("a,b,'250,3M")
    assert (row.company, row.agreement, row.sync) == ("250", "3M", None)


@pytest.mark.parametrize(
    ("said", "sync"),
    [
        *(
            (said, True)
            for said in ("true", "Yes", "1", "ON", "WAHR", "vrai", "VERDADERO", "'true", " true ")
        ),
        *((said, False) for said in ("False", "no", "0", "off", "FALSCH", "faux", "falso")),
        ("", None),
    ],
)
def test_sync_is_read_in_the_words_that_excel_and_people_write(said: str, sync: bool | None) -> None:
    assert read(f"a,b,c,d,{said}")[0].sync is sync


@pytest.mark.parametrize(
    "data",
    [
        f"{HEADER}\na,Bäcker,c,d,\n".encode(),
        f"{HEADER}\na,Bäcker,c,d,\n".encode("utf-8-sig"),
        f"{HEADER}\ra,Bäcker,c,d,\r".encode("cp1252"),
        f"{HEADER}\r\na,Bäcker,c,d,\r\n".replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + f"{HEADER}\r\na,Bäcker,c,d,\r\n".encode("utf-16-be"),
        f"{HEADER}\r\na,Bäcker,c,d,\r\n".replace(",", ";").encode(),
        b'"Tenant_ID";"NAME";"Company";"Agreement";"Sync"\na;"B\xe4cker";c;d;\n',
        "sync,agreement,company,name,tenant id\n,d,c,Bäcker,a\n".encode(),
        f"{HEADER},,\na,Bäcker,c,d,,,\n".encode(),
        f"{HEADER}\na,Bäcker,c,d\n\n,,,,\n".encode(),
    ],
    ids=range(10),
)
def test_a_sheet_is_read_as_excel_of_any_country_saves_it(data: bytes) -> None:
    assert read_sheet(data) == (Row("a", "Bäcker", "c", "d"),)


def test_rows_are_counted_as_excel_does_with_blank_rows_and_cells_of_several_lines() -> None:
    rows = read('a,"two\r\nlines",,,', "", ",,,,", "b,B,,,")
    assert [(row.tenant_id, row.name, row.number) for row in rows] == [("a", "two lines", 2), ("b", "B", 5)]


def test_a_company_may_stand_without_an_agreement_but_no_agreement_without_a_company() -> None:
    assert read("a,,AlderDental,,")[0].agreement is None
    assert faults("a,,,118,") == [(2, "agreement: an agreement without a company; name the company too")]


def test_all_faults_are_told_together_by_row_and_nothing_is_read() -> None:
    assert faults(
        "a,Alder,AlderDental,118,maybe",
        ",Nobody,x,,",
        "",
        "A\u200b,b,c,d,",
        f"{ALDER},b,007,0,",
        f"urn:uuid:{ALDER.upper()},b\x1b[2J,c\x07,99999999999999999999,on",
        "b,b,c,d,true,left over",
    ) == [
        (2, 'sync: "maybe" is neither true nor false'),
        (3, "tenant id: is empty"),
        (5, "tenant id: holds a character that cannot be seen (U+200B); type it anew"),
        (6, 'agreement: "0" is no id; if it is the name, write \'0'),
        (6, 'company: "007" is no id; if it is the name, write \'007'),
        (7, 'agreement: "99999999999999999999" is no id; if it is the name, write \'99999999999999999999'),
        (7, "company: holds a character that cannot be seen (U+0007); type it anew"),
        (7, "name: holds a control character; type it anew"),
        (7, "tenant id: the same as in row 6"),
        (8, "more cells than columns; put text with a comma or semicolon in quotes"),
    ]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "tenant id,nmae,company,agreement,sync",
            ['no column "name"', 'unknown column "nmae"; did you mean "name"?'],
        ),
        (
            "tenant id,name,company,agreement,sync,Company",
            ['the column "company" is there 2 times'],
        ),
        (
            "tenant id,company",
            ['no column "name" and no column "agreement" and no column "sync"'],
        ),
    ],
)
def test_the_columns_are_checked_first(header: str, told: list[str]) -> None:
    assert faults("a,b", header=header) == [(1, message) for message in told]


def test_a_column_of_ones_own_is_a_fault_told_with_those_of_the_rows() -> None:
    assert faults("a,b,c,d,perhaps,hello", header=f"{HEADER},my notes") == [
        (1, 'unknown column "my notes"; allowed: tenant id, name, company, agreement, sync'),
        (2, 'sync: "perhaps" is neither true nor false'),
    ]


@pytest.mark.parametrize(
    ("data", "row", "told"),
    [
        (b"", 1, "no column"),
        (b"PK\x03\x04\x14\0", 1, "this is a workbook; save the sheet as CSV UTF-8"),
        (HEADER.encode("utf-16-le"), 1, "no text that can be read"),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"\n\xe4", 1, "no text that can be read"),
        (HEADER.encode("utf-16") + b"\0", 1, "no text that can be read"),
        (HEADER.encode() + b"\n\x81", 1, "no text that can be read"),
        (b"x" * (8 * 1024 * 1024 + 1), 1, "larger than 8 MiB"),
        (f'{HEADER}\na,"b,c\nd,e\n'.encode(), 2, "a quote is not closed"),
        (f'{HEADER}\na,b,c,d,\nb,"b"c,d\n'.encode(), 3, "a quote is not closed"),
    ],
    ids=range(9),
)
def test_a_file_that_is_no_sheet_is_refused_with_what_to_do(data: bytes, row: int, told: str) -> None:
    with pytest.raises(SheetFault) as caught:
        read_sheet(data, "tenants.csv")
    (fault,) = caught.value.flaws
    assert fault.row == row
    assert told in fault.message
    assert caught.value.message.startswith("tenants.csv has 1 fault.\n\n  row ")


def test_the_number_of_rows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_sheet, "MOST_ROWS", 2)
    assert len(read("a", "b")) == 2
    assert faults("a", "b", "c") == [(4, "more than 2 rows; split the sheet")]


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    with pytest.raises(CommandFault) as caught:
        read(*(f"t{number},,,,maybe" for number in range(130)))
    message = caught.value.message
    assert message.startswith("The sheet has 130 faults.\n\n  row 2: sync")
    assert "\n  row 101: sync" in message
    assert "row 102: " not in message
    assert message.endswith("\n  and 30 more from row 102 on\n\nNothing was changed.")
    assert caught.value.exit_code == 2


@given(st.binary(max_size=200) | texts.map(lambda text: f"{HEADER}\n{text},{text}".encode()))
def test_any_file_is_read_or_refused_with_rows(data: bytes) -> None:
    try:
        rows = read_sheet(data)
    except SheetFault as fault:
        told = [each.row for each in fault.flaws]
    else:
        told = [row.number for row in rows]
        assert len({row.tenant_id for row in rows}) == len(rows)
    assert told == sorted(told)
    assert told or not data.strip() or b"tenant id" in data
