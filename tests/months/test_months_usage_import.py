"""A distributor's file is imported, its failed rows are mended, and nothing of it ever counts twice."""

import csv
import io
import json
import os
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from consumption.consumption_files import csv_file, xlsx_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from months.calling import Result, Run

from connector.ledger import Ledger
from connector.ledger.arrival import take_in
from connector.ledger.imports import Import, bind_run, imported_periods, newest_import
from connector.mappings import parse_mappings
from connector.model import Firewall, Period, Tenant, UsageRow
from connector.planning.findings import Options
from connector.planning.prices import unit_prices
from connector.runs.lock import one_run_at_a_time
from connector.runs.usage_import import Asked, read_import, store_import

OCTOBER = Period(2026, 10)
ALDER = "223c98b5-d39e-4c60-afde-892a53de496c"
BIRCH = "323c98b5-d39e-4c60-afde-892a53de496c"
FILE = "my usage.csv"
FAILED = "my usage-failed.csv"
HEADER = (
    "Partner", "Start Date", "End Date", "End User Identifier", "Serial Number", "Product Description",
    "Total Quantity", "Unit MSRP", "Unit Price", "Currency",
)  # fmt: skip
MAP = f"""\
version: 1
products:
  CIXA-MSP: {{item: SOPHOS-ENDPOINT}}
  CPHISH-MSP: {{sync: false}}
tenants:
  {ALDER}: {{name: Alder Dental Group, company: Alder, agreement: Managed}}
  {BIRCH}: {{name: Birch Law, company: Birch, agreement: Managed}}
import:
  product_codes:
    "Sophos Endpoint - User": CIXA-MSP
    "Phish Threat": CPHISH-MSP
"""


def row(customer: str = "Alder Dental Group", quantity: str = "12", **said: str) -> list[str]:
    """Return one row of the file."""
    return [
        "P", said.get("start", "2026-10-01"), said.get("end", "2026-10-31"), customer, said.get("serial", ""),
        said.get("product", "Sophos Endpoint - User - 10-24 USERS - MSP Monthly"), quantity,
        "1.40", "0.98", "USD",
    ]  # fmt: skip


@pytest.fixture
def desk(run: Run) -> Run:
    """A desk with a map and no settings of any vendor."""
    (run.folder / "mappings.yaml").write_text(MAP, encoding="utf-8")
    run.map_kept = True
    run.settings = {name: None for name in run.simulator.settings() if not name.startswith("CONNECTOR_")}
    return run


def put(desk: Run, *rows: list[str], name: str = FILE) -> None:
    (desk.folder / name).write_bytes(csv_file(HEADER, *rows))


def stored(desk: Run, period: Period = OCTOBER) -> Import:
    with Ledger(desk.state) as ledger:
        found = newest_import(ledger, period)
    assert found is not None
    return found


def billed(desk: Run) -> list[tuple[str | None, str, str]]:
    return [(row.account_id, row.product_code, str(row.quantity)) for row in stored(desk).rows]


def counts(done: Result) -> tuple[int, int, int, int]:
    rows = done.json["rows"]
    return rows["ready"], rows["off"], rows["failed"], rows["before"]


def failed_file(desk: Run, name: str = FAILED) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((desk.folder / name).read_bytes().decode("utf-8-sig"))))


def mend(desk: Run, name: str = FAILED, **cells: str) -> None:
    """Put cells into every row of a file of failed rows."""
    rows = failed_file(desk, name)
    data = csv_file(list(rows[0]), *([*(row | cells).values()] for row in rows))
    (desk.folder / name).write_bytes(data)


# Importing


def test_a_dry_run_shows_what_becomes_of_each_row_and_stores_nothing(desk: Run) -> None:
    put(desk, row(), row(product="Phish Threat"), row("Alder Dental"))

    done = desk("usage", "import", FILE, "--dry-run")

    assert (done.exit_code, counts(done)) == (3, (1, 1, 1, 0))
    assert not done.json["stored"]
    assert [path.name for path in desk.folder.glob("*.csv")] == [FILE]
    with Ledger(desk.state) as ledger:
        assert imported_periods(ledger) == ()
    assert "without --dry-run" in desk.text("usage", "import", FILE, "--dry-run").stdout


def test_rows_are_stored_as_sophos_would_have_sent_them(desk: Run) -> None:
    put(desk, row(" ALDER dental  group ", "12.50"), row("Birch Law", "3", product="Phish Threat"))

    done = desk("usage", "import", FILE)

    assert (done.exit_code, counts(done)) == (0, (1, 1, 0, 0))
    assert billed(desk) == [(ALDER, "CIXA-MSP", "12.5"), (BIRCH, "CPHISH-MSP", "3")]
    prices = unit_prices(stored(desk).rows[0])
    assert prices.cost is not None
    assert (prices.cost.amount, prices.cost.currency) == (Decimal("0.98"), "USD")
    assert json.loads(stored(desk).rows[0].received)["billingStartDate"] == "2026-10-01"
    with Ledger(desk.state) as ledger:
        assert imported_periods(ledger) == (OCTOBER,)


def test_two_lines_that_say_the_same_count_twice(desk: Run) -> None:
    put(desk, row(), row())
    assert desk("usage", "import", FILE).exit_code == 0
    assert len(billed(desk)) == 2


def test_a_customer_is_found_by_equal_names_or_the_map_and_never_by_likeness(desk: Run) -> None:
    put(desk, row("Alder Dental"), row(ALDER.upper()))

    done = desk("usage", "import", FILE)

    (failed,) = done.json["failed"]
    assert (failed["code"], failed["quantity"], failed["row"]) == ("UNMAPPED_TENANT", "12", 2)
    assert [each["tenant_id"] for each in failed["candidates"]] == [ALDER]
    assert f'import: {{tenants: {{"Alder Dental": {ALDER}}}}}' in failed["next"]

    (desk.folder / "mappings.yaml").write_text(f'{MAP}  tenants: {{"alder  DENTAL": {ALDER}}}\n')
    assert desk("usage", "import", FILE).exit_code == 0
    assert [account for account, _, _ in billed(desk)] == [ALDER, ALDER]


def test_a_name_that_two_tenants_have_decides_nothing(desk: Run) -> None:
    with Ledger(desk.state) as ledger:
        ledger.record_seen([Tenant("one", "Cedar"), Tenant("two", "cedar "), Tenant("three", "Dale")], [])
    put(desk, row("Cedar"), row("Dale"))

    (failed,) = desk("usage", "import", FILE).json["failed"]

    assert failed["message"].startswith('2 tenants are called "Cedar"')
    assert [each["tenant_id"] for each in failed["candidates"]] == ["one", "two"]
    assert billed(desk) == [("three", "CIXA-MSP", "12")]


def test_a_product_is_found_by_the_name_that_sophos_gave_one_code(desk: Run) -> None:
    names = {"NDR-MSP": "Sophos NDR", "A-MSP": "Twin", "B-MSP": "Twin"}
    with Ledger(desk.state) as ledger:
        run = ledger.begin_run("plan", Options(), who="t", version="0")
        said = [
            UsageRow(code, Decimal(1), received=json.dumps({"productDescription": name}),
                     description=name, group="Device")
            for code, name in names.items()
        ]  # fmt: skip
        take_in(ledger, run, Period(2026, 9), "sophos-api", said)
    put(desk, row(product="Sophos NDR - 1-9 DEVICES - MSP Monthly"), row(product="Twin"), row(product="New"))

    failed = desk("usage", "import", FILE).json["failed"]

    assert billed(desk) == [(ALDER, "NDR-MSP", "12")]
    assert stored(desk).rows[0].group == "Device"
    assert "2 codes have this name: A-MSP, B-MSP" in failed[0]["message"]
    assert 'import: {product_codes: {"New": CODE}}' in failed[1]["next"]


def test_a_product_code_or_a_known_sku_of_the_row_decides(desk: Run) -> None:
    header = (*HEADER, "Product Code", "SKU")
    data = csv_file(header, [*row(), "MDR-MSP", ""], [*row(product="X"), "", "CPHISH-MSP"])
    (desk.folder / FILE).write_bytes(data)

    assert counts(desk("usage", "import", FILE)) == (1, 1, 0, 0)
    assert [code for _, code, _ in billed(desk)] == ["MDR-MSP", "CPHISH-MSP"]


def test_a_product_code_in_another_case_is_the_one_that_the_map_has(desk: Run) -> None:
    (desk.folder / FILE).write_bytes(csv_file((*HEADER, "Product Code"), [*row(), "cixa-msp"]))

    desk("usage", "import", FILE)

    assert billed(desk) == [(ALDER, "CIXA-MSP", "12")]


def test_a_firewall_row_without_a_customer_is_left_to_its_serial_number(desk: Run) -> None:
    with Ledger(desk.state) as ledger:
        ledger.record_seen([], [Firewall("X1", billing_tenant_id=BIRCH)])
    put(desk, row("", serial=" x1 "), row(""))

    done = desk("usage", "import", FILE)

    assert [(it.account_id, it.serial) for it in stored(desk).rows] == [(None, "X1")]
    assert done.json["failed"][0]["message"] == "no end user identifier and no serial number"
    assert "1 row names a known firewall or no customer" in done.json["notes"][0]


def test_a_firewall_that_sophos_or_the_map_places_is_not_placed_by_what_the_file_calls_its_customer(
    desk: Run,
) -> None:
    (desk.folder / "mappings.yaml").write_text(f"{MAP}firewalls:\n  X2: {BIRCH}\n")
    with Ledger(desk.state) as ledger:
        ledger.record_seen([], [Firewall("X1", billing_tenant_id=BIRCH), Firewall("X3")])
    put(desk, *(row(serial=serial) for serial in ("x1", "X2", "X3", "A100")), row("Nobody", serial="X1"))

    assert counts(desk("usage", "import", FILE)) == (5, 0, 0, 0)

    placed = [(it.serial, it.account_id) for it in stored(desk).rows]
    assert placed == [("X1", None), ("X2", None), ("X3", None), ("A100", ALDER), ("X1", None)]


def test_a_tenant_that_is_off_has_rows_that_are_off(desk: Run) -> None:
    (desk.folder / "mappings.yaml").write_text(MAP.replace("name: Birch Law", "sync: false, name: Birch Law"))
    put(desk, row("Birch Law"))
    assert counts(desk("usage", "import", FILE)) == (0, 1, 0, 0)


def test_a_workbook_says_the_same_as_its_csv(desk: Run) -> None:
    put(desk, row(), row("Birch Law", "7"))
    desk("usage", "import", FILE)
    before = stored(desk).rows
    cells = [[date(2026, 10, 1) if at == 1 else date(2026, 10, 31) if at == 2 else cell
              for at, cell in enumerate(each)] for each in (row(), row("Birch Law", "7"))]  # fmt: skip
    for each in cells:
        each[6], each[7], each[8] = int(str(each[6])), 1.4, 0.98  # type: ignore[call-overload]
    (desk.folder / "usage.xlsx").write_bytes(xlsx_file(HEADER, *cells, sheet="Oct"))

    done = desk("usage", "import", "usage.xlsx", "--sheet", "oct")

    assert (done.exit_code, done.json["unchanged"], done.json["sheet"]) == (0, True, "Oct")
    assert stored(desk).rows == before


def test_windows_text_is_read_as_it_was_written(desk: Run) -> None:
    text = MAP.replace("Birch Law", "Café Müller")
    (desk.folder / "mappings.yaml").write_text(text, encoding="utf-8")
    (desk.folder / FILE).write_bytes(csv_file(HEADER, row("CAFÉ MÜLLER"), encoding="cp1252", delimiter=";"))

    assert desk("usage", "import", FILE).exit_code == 0
    assert billed(desk)[0][0] == BIRCH


# Months


def test_a_file_of_two_months_asks_for_one_and_the_rows_of_the_other_fail(desk: Run) -> None:
    put(desk, row(), row(start="2026-09-01", end="2026-09-30"))

    refused = desk("usage", "import", FILE)
    done = desk("usage", "import", FILE, "--period", "2026-10")

    assert refused.exit_code == 2
    assert "2026-09 (1 rows), 2026-10 (1 rows)" in refused.json["error"]["message"]
    assert (done.exit_code, counts(done)) == (3, (1, 0, 1, 0))
    assert done.json["failed"][0]["message"] == "it bills 2026-09, not 2026-10"


def test_a_file_without_a_readable_date_or_row_is_refused(desk: Run) -> None:
    put(desk, row(start="x"))
    assert "start date that can be read" in desk("usage", "import", FILE).json["error"]["message"]
    put(desk)
    assert "no rows" in desk("usage", "import", FILE).json["error"]["message"]
    assert "could not be read" in desk("usage", "import", "none.csv").json["error"]["message"]


# Failed rows


def test_failed_rows_are_mended_in_their_file_and_only_they_are_taken(desk: Run) -> None:
    put(desk, row(), row("Aldr"), row("Nobody"))
    done = desk("usage", "import", FILE)
    assert done.json["failed_file"].endswith(FAILED)
    first, second = failed_file(desk)
    assert list(first)[:-1] == list(HEADER)
    assert first["reason"].startswith("row 3: UNMAPPED_TENANT: ")

    mend(desk, **{"End User Identifier": "Birch Law"})
    mended = desk("usage", "import", FAILED)

    assert (mended.exit_code, counts(mended)) == (0, (2, 0, 0, 0))
    assert len(billed(desk)) == 3
    again = desk("usage", "import", FAILED)
    assert (again.exit_code, counts(again), again.json["unchanged"]) == (0, (0, 0, 0, 2), True)
    whole = desk("usage", "import", FILE)
    assert (whole.exit_code, counts(whole), whole.json["unchanged"]) == (0, (1, 0, 0, 2), True)
    assert len(billed(desk)) == 3
    assert second["Total Quantity"] == "12"


def test_rows_that_fail_again_go_to_another_file_and_the_rest_waits(desk: Run) -> None:
    put(desk, row("A"), row("B"))
    desk("usage", "import", FILE)
    rows = failed_file(desk)
    data = csv_file(list(rows[0]), [*(rows[0] | {"End User Identifier": "C"}).values()])
    (desk.folder / FAILED).write_bytes(data)

    done = desk("usage", "import", FAILED)

    assert (done.exit_code, counts(done)) == (3, (0, 0, 1, 0))
    assert [each["End User Identifier"] for each in failed_file(desk, "my usage-failed-2.csv")] == ["C", "B"]
    assert [each.tenant for each in stored(desk).failed] == ["C", "B"]


def test_what_a_customer_is_called_neither_runs_nor_steers(desk: Run) -> None:
    put(desk, row("=cmd|' /C calc'!A1"), row("\x1b[2J007"), row("0012"))

    said = desk.text("usage", "import", FILE)
    cells = [each["End User Identifier"] for each in failed_file(desk)]

    assert cells == ["'=cmd|' /C calc'!A1", "\\x1b[2J007", "'0012"]
    assert "\x1b" not in said.stdout
    (desk.folder / "mappings.yaml").write_text(
        MAP + f'  tenants: {{"=cmd|\' /C calc\'!A1": {ALDER}, "0012": {ALDER}}}\n'
    )
    assert counts(desk("usage", "import", FAILED)) == (2, 0, 1, 0)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", "no reason"),
        ("row 2: x (import 2026-13/{})", "no month"),
        ("row 2: x (import 2026-09/{})", "belong to another import"),
        ("row 2: x (import 2026-10/00000000)", "belong to another import"),
    ],
)
def test_a_reason_that_was_changed_is_refused(desk: Run, reason: str, told: str) -> None:
    put(desk, row("A"))
    desk("usage", "import", FILE)
    mend(desk, reason=reason.format(stored(desk).origin[:8]))
    assert told in desk("usage", "import", FAILED).json["error"]["message"]


def test_failed_rows_of_two_imports_or_twice_in_a_file_are_refused(desk: Run) -> None:
    put(desk, row("A"))
    desk("usage", "import", FILE)
    one = failed_file(desk)[0]
    two = one | {"reason": one["reason"].replace("2026-10", "2026-09")}
    for rows, told in (([one, two], "more than one import"), ([one, one], "Row 2 is there 2 times")):
        (desk.folder / "x.csv").write_bytes(csv_file(list(one), *(list(each.values()) for each in rows)))
        assert told in desk("usage", "import", "x.csv").json["error"]["message"]
    period = desk("usage", "import", FAILED, "--period", "2026-09")
    assert "failed rows of 2026-10, not of 2026-09" in period.json["error"]["message"]


def test_failed_rows_go_where_a_person_says_and_overwrite_nothing(desk: Run) -> None:
    put(desk, row("A"))
    (desk.folder / "mine.csv").write_text("mine")
    refused = desk("usage", "import", FILE, "--failed", "mine.csv")
    assert (refused.exit_code, (desk.folder / "mine.csv").read_text()) == (2, "mine")
    nowhere = desk("usage", "import", FILE, "--failed", "no/where.csv")
    assert "could not be written" in nowhere.json["error"]["message"]
    with Ledger(desk.state) as ledger:
        assert imported_periods(ledger) == ()
    assert desk("usage", "import", FILE, "--failed", "out.csv").json["failed_file"].endswith("out.csv")


# Totals


def test_a_total_is_checked_and_a_wrong_one_waits_for_a_person(desk: Run) -> None:
    total = ["", "", "", "Total", "", "", "25", "", "", ""]
    put(desk, row(), row("Birch Law", "12"), total)

    done = desk("usage", "import", FILE)
    assert (done.exit_code, counts(done)) == (3, (2, 0, 1, 0))
    assert done.json["failed"][0]["message"] == "the total says 25, and the rows above add up to 24"

    mend(desk, **{"Total Quantity": "24"})
    assert desk("usage", "import", FAILED).exit_code == 0
    assert stored(desk).failed == ()
    assert desk("usage", "import", FILE).json["unchanged"]


def test_sums_of_customers_and_of_all_are_both_right(desk: Run) -> None:
    def total(name: str, quantity: str) -> list[str]:
        return ["", "", "", name, "", "", quantity, "", "", ""]

    put(
        desk,
        row(),
        total("Alder Total", "12"),
        row("Birch Law", "3"),
        total("Birch Total", "3"),
        total("Total", "15"),
    )
    assert desk("usage", "import", FILE).exit_code == 0
    assert len(billed(desk)) == 2


def test_a_total_over_a_damaged_row_is_checked_once_that_is_mended(desk: Run) -> None:
    put(desk, row(), row("Birch Law", "x"), ["", "", "", "Total", "", "", "15", "", "", ""])
    done = desk("usage", "import", FILE)
    assert "before row 3 is mended" in done.json["failed"][1]["message"]
    rows = failed_file(desk)
    rows[0]["Total Quantity"] = "3"
    (desk.folder / FAILED).write_bytes(csv_file(list(rows[0]), *(list(each.values()) for each in rows)))

    assert desk("usage", "import", FAILED).exit_code == 0
    assert desk("usage", "import", FILE).json["unchanged"]


def test_a_total_that_cannot_be_read_fails(desk: Run) -> None:
    put(desk, row(), ["", "", "", "Total", "", "", "many", "", "", ""])
    assert desk("usage", "import", FILE).json["failed"][0]["message"] == 'quantity: "many" is no number'


# A second file


def test_another_file_of_a_month_is_compared_and_refused_until_it_is_to_replace(desk: Run) -> None:
    put(desk, row(), row("Birch Law", "3"))
    desk("usage", "import", FILE)
    put(desk, row(quantity="13"), row("Birch Law", "3"), name="second.csv")

    refused = desk("usage", "import", "second.csv")
    assert (refused.exit_code, refused.json["refused"], refused.json["stored"]) == (4, True, False)
    assert refused.json["differences"] == [
        {"tenant_id_or_serial": ALDER, "product_code": "CIXA-MSP", "rows_before": 1, "rows": 1,
         "quantity_before": "12", "quantity": "13"}
    ]  # fmt: skip
    told = desk.text("usage", "import", "second.csv")
    assert f"{ALDER}  CIXA-MSP  12 -> 13" in told.stdout
    assert stored(desk).file == FILE

    assert desk("usage", "import", "second.csv", "--replace").exit_code == 0
    assert stored(desk).file == "second.csv"
    assert desk("usage", "import", FILE, "--replace").exit_code == 0
    assert billed(desk)[0] == (ALDER, "CIXA-MSP", "12")


def test_the_same_file_again_changes_nothing_and_says_so(desk: Run) -> None:
    put(desk, row(), row("A"))
    desk("usage", "import", FILE)
    before = stored(desk).id

    again = desk.text("usage", "import", FILE)

    assert "imported already" in again.stdout
    assert (again.exit_code, stored(desk).id) == (3, before)


def test_a_file_saved_anew_with_other_failures_is_a_second_file(desk: Run) -> None:
    put(desk, row(), row("A"))
    desk("usage", "import", FILE)
    put(desk, row(), row("B"))
    done = desk.text("usage", "import", FILE)
    assert done.exit_code == 4
    assert "or in the rows that fail" in done.stdout


def test_a_map_that_moves_a_customer_is_told_before_the_same_file_does(desk: Run) -> None:
    put(desk, row(), row("Nobody"))
    desk("usage", "import", FILE)
    mend(desk, **{"End User Identifier": "Birch Law"})
    desk("usage", "import", FAILED)
    (desk.folder / "mappings.yaml").write_text(f'{MAP}  tenants: {{"Alder Dental Group": {BIRCH}}}\n')

    done = desk("usage", "import", FILE)

    assert (done.exit_code, len(done.json["differences"])) == (4, 2)
    assert counts(desk("usage", "import", FILE, "--replace")) == (1, 0, 1, 0)


def test_a_run_in_progress_keeps_an_import_out(desk: Run) -> None:
    put(desk, row())
    with Ledger(desk.state) as ledger:
        now = ledger._now()
    with one_run_at_a_time(desk.state, who="me", pid=1, command="connector sync", now=now):
        assert desk("usage", "import", FILE).exit_code == 4
        assert desk("usage", "import", FILE, "--dry-run").exit_code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
@pytest.mark.parametrize(("answer", "quantity"), [("y", "13"), ("n", "12")])
def test_on_a_terminal_a_person_is_asked_whether_to_replace(desk: Run, answer: str, quantity: str) -> None:
    pexpect = pytest.importorskip("pexpect")
    put(desk, row())
    desk("usage", "import", FILE)
    put(desk, row(quantity="13"), name="second.csv")
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith(("SOPHOS_", "CONN"))
    }
    child = pexpect.spawn(
        sys.executable, ["-m", "connector", "usage", "import", "second.csv"], cwd=str(desk.folder),
        env=environment, encoding="utf-8", timeout=60,
    )  # fmt: skip
    child.expect("12 -> 13")
    child.expect(r"Replace what was imported for 2026-10\? \[y/N\]: ")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == (0 if answer == "y" else 4)
    assert billed(desk) == [(ALDER, "CIXA-MSP", quantity)]


# The ledger, and all of it at once


def test_a_run_is_bound_to_the_import_it_was_made_from(desk: Run) -> None:
    put(desk, row())
    desk("usage", "import", FILE)
    with Ledger(desk.state) as ledger:
        assert newest_import(ledger, Period(2026, 9)) is None
        run = ledger.begin_run("plan", Options(), who="t", version="0")
        bind_run(ledger, run, stored(desk))
        (bound,) = ledger.query("SELECT period, source, usage FROM runs WHERE id = ?", run)
    assert bound == {"period": "2026-10", "source": "file", "usage": stored(desk).id}


USED = st.lists(
    st.tuples(
        st.sampled_from(["Alder Dental Group", "Birch Law"]),
        st.sampled_from(["CIXA-MSP", "MDR-MSP", "XGS-MSP"]),
        st.integers(-(10**6), 10**8).map(lambda digits: Decimal(digits).scaleb(-2).normalize()),
        st.integers(0, 10**6).map(lambda digits: Decimal(digits).scaleb(-4)),
    ),
    min_size=1,
    max_size=20,
)


@given(USED, st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_month_written_as_a_file_and_imported_is_the_same_month(
    tmp_path_factory: pytest.TempPathFactory,
    used: list[tuple[str, str, Decimal, Decimal]],
    delimiter: str,
    encoding: str,
) -> None:
    header = ("Start Date", "End Date", "End User Identifier", "Product Description", "Total Quantity",
              "Product Code", "Unit Price", "Currency")  # fmt: skip
    lines = [("10/1/2026", "10/31/2026", customer, f"{code} name", f"{quantity:,f}", code, str(price), "EUR")
             for customer, code, quantity, price in used]  # fmt: skip
    # One number that shows the mark, as any real file has.
    lines.append(("10/1/2026", "10/31/2026", "Birch Law", "last", "0.25", "LAST-MSP", "", ""))
    folder = Path(tmp_path_factory.mktemp("state"))
    with Ledger(folder) as ledger:
        data = csv_file(header, *lines, delimiter=delimiter, encoding=encoding)
        made = read_import(data, "u.csv", parse_mappings(MAP.encode(), "m"), ledger, Asked())
        store_import(made, ledger)
        found = newest_import(ledger, OCTOBER)
    assert found is not None
    assert found.failed == ()
    assert found.rows == tuple(made.rows.values())
    ids = {"Alder Dental Group": ALDER, "Birch Law": BIRCH}
    read = [
        (row.account_id, row.product_code, row.quantity, unit_prices(row).cost) for row in found.rows[:-1]
    ]
    assert [(each[0], each[1], each[2]) for each in read] == [
        (ids[customer], code, quantity) for customer, code, quantity, _ in used
    ]
    assert [cost.amount for *_, cost in read if cost is not None] == [price for *_, price in used]
