"""Seeing usage from the command line: a month's views, what is stored, comparisons, partner-wide sums."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from months.calling import Run
from months.msp import Customer, Msp
from python_calamine import CalamineWorkbook

from connector.ledger import Ledger
from connector.ledger.imports import record_import
from connector.model import Period, UsageRow
from connector.runs.lock import one_run_at_a_time

ENDPOINT_CODE, FIREWALL_CODE = "CIXA-MSP", "DEMO-XGS107-XSP-MSP"
SERIAL, SPARE = "X1A7ALDER01", "X1C7SPARE04"
EVIL = "=cmd|' /C calc'!A0"


@pytest.fixture
def alder(msp: Msp) -> Customer:
    """A customer with users and a firewall of its own; a spare firewall is nobody's."""
    made = msp.customer("Alder", {ENDPOINT_CODE: 12, "CEMA-MSP": 3})
    msp.firewall(SERIAL, FIREWALL_CODE, tenant=made.tenant)
    msp.firewall(SPARE, FIREWALL_CODE)
    return made


@pytest.fixture
def birch(msp: Msp) -> Customer:
    """Another customer, with users alone."""
    return msp.customer("Birch", {ENDPOINT_CODE: 20})


def money(listed: Any) -> dict[str, Decimal]:
    """Return money of a document, by currency."""
    return {each["currency"]: Decimal(each["amount"]) for each in listed}


def total(listed: Any, name: str = "cost") -> Decimal:
    """Add up the dollars of lines."""
    return sum((money(each[name]).get("USD", Decimal(0)) for each in listed), Decimal(0))


def store_file(run: Run, rows: list[UsageRow], period: str = "2026-10", file: str = "oct.csv") -> None:
    """Store rows as a consumption file's, the way an import does."""
    with Ledger(run.state) as ledger:
        record_import(
            ledger, Period.parse(period), file=file, origin=file, rows=enumerate(rows, 2), failed=()
        )


def file_row(tenant: str, code: str, quantity: object, price: str = "2.10", **said: Any) -> UsageRow:
    """Return a row as an import makes it."""
    wire = {"productCode": code, "unitPrice": price, "unitPriceCurrency": "USD"}
    return UsageRow(code, Decimal(str(quantity)), tenant, received=json.dumps(wire), **said)


# A month ------------------------------------------------------------------------------------------


def test_a_month_that_is_not_stored_is_shown_as_sophos_has_it_and_not_stored(
    alder: Customer, birch: Customer, run: Run
) -> None:
    shown = run("usage")
    assert shown.exit_code == 0
    assert (shown.json["schema"], shown.json["period"], shown.json["source"]) == (
        "connector.usage/1",
        "2026-10",
        "sophos-api",
    )
    assert shown.json["snapshot"] is None
    assert [(each["tenant"], each["product_code"], each["quantity"]) for each in shown.json["lines"]] == [
        ("Alder Ltd", "CEMA-MSP", "3"),
        ("Alder Ltd", "CIXA-MSP", "12"),
        ("Alder Ltd", FIREWALL_CODE, "1"),
        ("Birch Ltd", "CIXA-MSP", "20"),
        ("nobody: unassigned", FIREWALL_CODE, "1"),
    ]
    assert run("usage", "months").json["months"] == []
    assert not shown.writes


def test_cost_and_list_value_are_what_the_rows_come_to(alder: Customer, birch: Customer, run: Run) -> None:
    raw = run("usage", "2026-10", "--raw").json
    assert raw["by"] == "row"
    cost = sum(Decimal(row["billableQuantity"]) * Decimal(row["unitPrice"]) for row in raw["rows"])
    listed = sum(Decimal(row["billableQuantity"]) * Decimal(row["unitMsrp"]) for row in raw["rows"])
    for by in ((), ("--by", "product"), ("--by", "tenant")):
        shown = run("usage", *by).json
        assert (total(shown["lines"]), total(shown["lines"], "list_value")) == (cost, listed)
        assert money(shown["totals"]["cost"]) == {"USD": cost}
        assert sum(each["rows"] for each in shown["lines"]) == len(raw["rows"]) == 5


def test_raw_rows_have_every_field_as_text_and_nobodys_address(alder: Customer, run: Run) -> None:
    row = run("usage", "--raw").json["rows"][0]
    assert row["billableQuantity"] == "12"
    assert row["productDescription"].startswith(ENDPOINT_CODE) or "USERS" in row["productDescription"]
    assert all(isinstance(value, str) for value in row.values())
    assert "contactEmail" not in row


def test_by_firewall_every_serial_number_is_a_line_and_the_unassigned_come_first(
    alder: Customer, run: Run
) -> None:
    lines = run("usage", "--by", "firewall").json["lines"]
    assert [(each["serial"], each["tenant_id"]) for each in lines] == [(SPARE, None), (SERIAL, alder.tenant)]


def test_by_tenant_each_is_one_line(alder: Customer, birch: Customer, run: Run) -> None:
    lines = run("usage", "--by", "tenant").json["lines"]
    assert [(each["tenant"], each["products"], each["quantity"]) for each in lines] == [
        ("Alder Ltd", 3, "16"),
        ("Birch Ltd", 1, "20"),
        ("nobody: unassigned", 1, "1"),
    ]


def test_a_stored_month_is_shown_without_asking_sophos(alder: Customer, run: Run) -> None:
    run("plan")
    alder.uses(ENDPOINT_CODE, 99)
    shown = run("usage", "2026-10")
    assert not shown.requests
    assert shown.json["snapshot"] == 1
    assert not run("usage").requests
    assert run("usage").json["lines"] == shown.json["lines"]
    assert "12" in {each["quantity"] for each in shown.json["lines"]}


def test_a_stored_month_needs_no_setting_and_no_map(alder: Customer, run: Run) -> None:
    run("plan")
    run.map_kept = True
    (run.folder / "mappings.yaml").unlink()
    bare = {name: None for name in run.environment({}) if name.startswith(("SOPHOS", "CONNECTWISE"))}
    for command in (("usage",), ("usage", "months"), ("usage", "totals"), ("usage", "compare", "1", "1")):
        assert run(*command, **bare).exit_code == 0
    assert run("usage", CONNECTOR_TODAY="2026-12-20", **bare).json["period"] == "2026-10"
    asked = run("usage", "2026-09", **bare)
    assert (asked.exit_code, asked.json["error"]["code"]) == (2, "SETTINGS")


def test_without_a_month_it_is_the_newest_that_sophos_has_published(
    alder: Customer, msp: Msp, run: Run
) -> None:
    run("plan")
    assert run("usage", CONNECTOR_TODAY="2026-11-10").json["period"] == "2026-10"
    msp.next_month()
    assert run("usage", CONNECTOR_TODAY="2026-11-28").json["period"] == "2026-11"
    assert run("usage", CONNECTOR_TODAY="2027-06-01").json["period"] == "2026-10"


def test_a_month_that_sophos_has_not_published_says_so(alder: Customer, run: Run) -> None:
    assert run("usage", "2026-11").exit_code == 8
    nothing = run("usage", CONNECTOR_TODAY="2027-06-01")
    assert (nothing.exit_code, nothing.json["error"]["code"]) == (8, "NOT_PUBLISHED")
    assert "2027-06 nor 2027-05" in nothing.json["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("10/2026",), "no month written YYYY-MM"),
        (("2026-10:csv",), "names no source"),
        (("2026-10:api", "--source", "file"), "names no source"),
        (("41",), "No snapshot has the number 41"),
        (("1", "--source", "api"), "has its source already"),
        (("--raw", "--by", "tenant"), "--raw shows rows as they are"),
        (("monhts",), "No such command 'monhts'"),
        (("--xlsx", "usage.csv"), "does not end in .xlsx"),
    ],
)
def test_a_command_line_at_fault_says_what_to_write(
    alder: Customer, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    done = run("usage", *arguments)
    assert done.exit_code == 2
    assert words in done.json["error"]["message"]


def test_options_may_stand_before_the_command_and_the_month(alder: Customer, run: Run) -> None:
    run("plan")
    assert run("usage", "--json", "months").json["schema"] == "connector.months/1"
    assert run("usage", "--by", "tenant", "2026-10").json["by"] == "tenant"
    assert run("usage", "show", "2026-10").json == run("usage", "2026-10").json
    assert "months" in run.text("usage", "--help").stdout
    assert "--by" in run.text("usage", "2026-10", "--help").stdout


# Sources ------------------------------------------------------------------------------------------


def test_a_month_has_two_sources_and_shows_the_one_that_was_stored_last(alder: Customer, run: Run) -> None:
    run("plan")
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 7)])
    assert run("usage", "2026-10").json["source"] == "file"
    assert run("usage", "2026-10").json["file"] == "oct.csv"
    assert run("usage", "2026-10", "--source", "api").json["source"] == "sophos-api"
    assert run("usage", "2026-10:api").json["totals"]["rows"] == 4
    assert run("usage", "--source", "file").json["totals"]["quantity"] == "7"


def test_a_source_that_has_nothing_says_how_to_get_it(alder: Customer, run: Run) -> None:
    for arguments in (("--source", "file"), ("2026-10", "--source", "file"), ("2026-10:live",)):
        asked = run("usage", *arguments)
        assert (asked.exit_code, asked.json["error"]["code"]) == (8, "NOT_IMPORTED")
        assert asked.json["error"]["next"].split(": ")[1].startswith("connector ")


def test_an_msp_with_files_alone_sees_its_newest_month(alder: Customer, run: Run) -> None:
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 7)], "2026-08", "aug.csv")
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 8)], "2026-09", "sep.csv")
    bare = {name: None for name in run.environment({}) if name.startswith(("SOPHOS", "CONNECTWISE"))}
    shown = run("usage", **bare).json
    assert (shown["period"], shown["file"], shown["totals"]["quantity"]) == ("2026-09", "sep.csv", "8")


# What is stored -----------------------------------------------------------------------------------


def test_pull_stores_a_month_once_and_says_whether_it_moved(alder: Customer, run: Run) -> None:
    first = run("usage", "pull")
    assert (first.exit_code, first.json["schema"], first.json["result"]) == (0, "connector.pull/1", "new")
    assert (first.json["period"], first.json["rows"], first.json["before"]) == ("2026-10", 4, None)
    assert run("usage", "pull", "2026-10").json["result"] == "same"
    alder.uses(ENDPOINT_CODE, 15)
    third = run("usage", "pull").json
    assert (third["result"], third["before"]["snapshot"], third["snapshot"]) == ("restated", 1, 2)
    assert third["differences"] == 1
    price = Decimal(run("usage", "--raw").json["rows"][-1]["unitPrice"])
    assert money(third["cost"]) == {"USD": 3 * price}


def test_pull_tells_people_the_same_and_touches_no_agreement(alder: Customer, run: Run) -> None:
    assert "stored for the first time" in run.text("usage", "pull").stdout
    assert "the same as stored" in run.text("usage", "pull").stdout
    alder.uses(ENDPOINT_CODE, 15)
    told = run.text("usage", "pull")
    assert "restated" in told.stdout
    assert "connector usage compare 1 2" in told.stdout
    assert not any(request.vendor == "connectwise" for request in told.requests)


def test_sophos_going_back_to_what_it_said_before_is_a_restatement_too(alder: Customer, run: Run) -> None:
    results = []
    for quantity in (12, 15, 12):
        alder.uses(ENDPOINT_CODE, quantity)
        results.append(run("usage", "pull").json["result"])
    assert results == ["new", "restated", "restated"]
    months = run("usage", "months").json["months"]
    assert [(each["snapshot"], each["in_force"]) for each in months] == [(1, True), (2, False)]
    assert run("usage", "2026-10").json["snapshot"] == 1


def test_pull_is_told_to_a_spreadsheet_as_well(alder: Customer, run: Run) -> None:
    sheet = list(csv.DictReader(io.StringIO(run.text("usage", "pull", "--csv").stdout)))
    assert [(each["Month"], each["Source"]) for each in sheet] == [("2026-10", "sophos-api")]
    assert run.text("usage", "pull", "--xlsx", "pull.xlsx").exit_code == 0
    book = CalamineWorkbook.from_path(str(run.folder / "pull.xlsx"))
    assert book.get_sheet_by_index(0).to_python()[1][:2] == ["2026-10", "sophos-api"]


def test_pull_of_a_month_that_is_not_published_stores_nothing(alder: Customer, run: Run) -> None:
    assert run("usage", "pull", "2026-11").exit_code == 8
    assert run("usage", "months").json["months"] == []
    assert run("usage", "pull", "11").exit_code == 2


def test_pull_waits_for_no_other_run(alder: Customer, run: Run) -> None:
    run("usage", "months")
    with one_run_at_a_time(run.state, who="mia@desk", pid=7, command="connector sync", now=datetime.now(UTC)):
        refused = run("usage", "pull")
        assert run("usage", "months").exit_code == 0
    assert refused.exit_code == 4
    assert "mia@desk" in refused.json["error"]["message"]


def test_months_say_where_each_is_from_and_which_runs_applied_it(alder: Customer, msp: Msp, run: Run) -> None:
    done = run("sync")
    alder.uses(ENDPOINT_CODE, 15)
    run("plan")
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 15)])
    months = {each["snapshot"]: each for each in run("usage", "months").json["months"]}
    first, second, third = (months[number] for number in (1, 2, 3))
    assert (first["source"], first["in_force"], first["restated"]) == ("sophos-api", False, True)
    assert first["applied_by"] == [done.json["run"]]
    assert (second["in_force"], second["restated"], second["applied_by"]) == (True, True, [])
    assert (third["source"], third["file"], third["in_force"], third["restated"]) == (
        "file",
        "oct.csv",
        True,
        False,
    )
    text = run.text("usage", "months").stdout
    assert "replaced" in text
    assert "oct.csv" in text


def test_before_anything_is_stored_months_says_how_to_begin(run: Run) -> None:
    listed = run.text("usage", "months")
    assert (listed.exit_code, "connector usage pull" in listed.stderr) == (0, True)


# Comparing ----------------------------------------------------------------------------------------


def test_two_months_are_compared_with_every_difference_classed_and_priced(
    alder: Customer, birch: Customer, msp: Msp, run: Run
) -> None:
    run("usage", "pull")
    msp.next_month()
    alder.uses(ENDPOINT_CODE, 15)
    birch.stops(ENDPOINT_CODE)
    birch.uses("CEMA-MSP", 2)
    run("usage", "pull", CONNECTOR_TODAY="2026-11-28")

    found = run("usage", "compare", "2026-10", "2026-11")

    assert (found.exit_code, found.json["equal"], list(found.requests)) == (0, False, [])
    assert {(each["kind"], each["tenant"], each["product_code"]) for each in found.json["differences"]} == {
        ("quantity", "Alder Ltd", ENDPOINT_CODE),
        ("only_a", "Birch Ltd", ENDPOINT_CODE),
        ("only_b", "Birch Ltd", "CEMA-MSP"),
    }
    assert total(found.json["differences"]) == total([found.json])
    assert total(found.json["totals"]) == total([found.json])
    assert total([found.json["b"]]) - total([found.json["a"]]) == total([found.json])
    assert run("usage", "compare", "2026-10", "2026-11", "--exit-code").exit_code == 7


def test_the_distributors_file_is_compared_with_the_api(alder: Customer, run: Run) -> None:
    run("usage", "pull")
    raw = run("usage", "--raw").json["rows"]
    price = {row["productCode"]: row["unitPrice"] for row in raw}
    rows = [
        file_row(alder.tenant, ENDPOINT_CODE, 12, "9.99", description="Another name"),
        file_row(alder.tenant, FIREWALL_CODE, 1, price[FIREWALL_CODE], serial=SPARE, group="Device"),
    ]
    store_file(run, rows)
    found = run("usage", "compare", "2026-10:api", "2026-10:file").json
    kinds = {(each["product_code"], each["serial"]): each for each in found["differences"]}
    assert kinds[ENDPOINT_CODE, None]["kind"] == "price"
    assert kinds[ENDPOINT_CODE, None]["also"] == ["name"]
    assert kinds["CEMA-MSP", None]["kind"] == "only_a"
    moved = kinds[FIREWALL_CODE, SPARE]
    assert (moved["kind"], moved["tenant_id_a"], moved["tenant_id_b"]) == ("tenant", None, alder.tenant)
    assert kinds[FIREWALL_CODE, SERIAL]["kind"] == "only_a"
    text = run.text("usage", "compare", "2026-10:api", "2026-10:file")
    assert "nobody: unassigned -> Alder Ltd" in text.stdout
    assert "B: 2026-10 from file oct.csv" in text.stderr
    assert "Altogether B costs" in text.stderr


def test_money_of_two_currencies_is_told_apart_in_every_column(alder: Customer, run: Run) -> None:
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 2, "3.00")], "2026-08")
    other = json.dumps({"unitPrice": "2.50", "unitPriceCurrency": "EUR"})
    store_file(run, [UsageRow(ENDPOINT_CODE, Decimal(2), alder.tenant, received=other)], "2026-09")
    found = run("usage", "compare", "2026-08", "2026-09").json
    assert money(found["cost"]) == {"EUR": Decimal(5), "USD": Decimal(-6)}
    text = run.text("usage", "compare", "2026-08", "2026-09")
    assert "5.00 EUR + -6.00 USD" in text.stdout
    assert "Altogether B costs +5.00 EUR, -6.00 USD against A." in text.stderr
    assert "name no price" not in text.stderr


def test_rows_without_a_price_are_told_beside_what_a_comparison_costs(alder: Customer, run: Run) -> None:
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 2, "3.00")], "2026-08")
    store_file(run, [UsageRow(ENDPOINT_CODE, Decimal(2), alder.tenant, received="{}")], "2026-09")
    told = run.text("usage", "compare", "2026-08", "2026-09").stderr
    assert "1 rows of B name no price, so that costs are not the whole of it." in told


def test_a_hostile_file_name_reaches_no_terminal(alder: Customer, run: Run) -> None:
    store_file(run, [file_row(alder.tenant, ENDPOINT_CODE, 2)], file="a\x1b[2J.csv")
    for command in (("usage", "2026-10"), ("usage", "months"), ("usage", "compare", "1", "1")):
        told = run.text(*command)
        assert "a\\x1b[2J.csv" in told.stdout + told.stderr


def test_equal_sources_are_equal(alder: Customer, run: Run) -> None:
    run("usage", "pull")
    found = run("usage", "compare", "2026-10", "1", "--exit-code")
    assert (found.exit_code, found.json["equal"], found.json["differences"]) == (0, True, [])
    assert "No difference." in run.text("usage", "compare", "1", "1").stderr


# Partner-wide sums --------------------------------------------------------------------------------


def test_totals_are_the_partner_wide_sums_with_their_price_bands(
    alder: Customer, birch: Customer, run: Run
) -> None:
    found = run("usage", "totals").json
    assert found["schema"] == "connector.totals/1"
    by_code = {each["product_code"]: each for each in found["products"]}
    endpoint = by_code[ENDPOINT_CODE]
    assert (endpoint["quantity"], endpoint["tenants"], endpoint["in_band"]) == ("32", 2, True)
    assert endpoint["bands"][0]["least"] <= 32 <= endpoint["bands"][0]["most"]
    assert endpoint["bands"][0]["text"].endswith("USERS")
    assert total(found["products"]) == total([found["totals"]])
    assert by_code[FIREWALL_CODE]["quantity"] == "2"
    assert "Price band" in run.text("usage", "totals", "2026-10").stdout


def test_a_sum_beside_its_band_is_told(alder: Customer, run: Run) -> None:
    alder.uses(ENDPOINT_CODE, 12, description="Sophos Endpoint - 500-999 USERS")
    (found,) = [
        each for each in run("usage", "totals").json["products"] if each["product_code"] == ENDPOINT_CODE
    ]
    assert found["in_band"] is False
    assert "NO" in run.text("usage", "totals").stdout


# Spreadsheets -------------------------------------------------------------------------------------


def sheet(path: Path) -> list[list[Any]]:
    """Read a workbook's first sheet back."""
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


COMMANDS = {
    "show": ("usage", "2026-10"),
    "raw": ("usage", "--raw"),
    "firewall": ("usage", "--by", "firewall"),
    "months": ("usage", "months"),
    "totals": ("usage", "totals"),
    "compare": ("usage", "compare", "1", "2"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_list_is_a_table_csv_and_a_workbook_with_the_same_rows(
    alder: Customer, run: Run, command: tuple[str, ...]
) -> None:
    run("usage", "pull")
    alder.uses(ENDPOINT_CODE, 15, description=EVIL)
    run("usage", "pull")

    table = run.text(*command).stdout.splitlines()
    rows = list(csv.reader(io.StringIO(run.text(*command, "--csv").stdout)))
    written = run.text(*command, "--xlsx", "out put.xlsx")

    assert (written.exit_code, written.stdout) == (0, "")
    cells = sheet(run.folder / "out put.xlsx")
    assert len(table) == len(rows) == len(cells) > 1
    assert cells[0] == rows[0]
    for row, line in zip(cells[1:], rows[1:], strict=True):
        for cell, text in zip(row, line, strict=True):
            if isinstance(cell, float):
                assert Decimal(str(cell)) == Decimal(text)
            else:
                assert cell == text.removeprefix("'")


def test_a_vendors_formula_is_text_in_csv_and_in_a_workbook(alder: Customer, run: Run) -> None:
    alder.uses(ENDPOINT_CODE, 15, description=EVIL)
    run("usage", "--xlsx", "usage.xlsx")
    cells = [cell for row in sheet(run.folder / "usage.xlsx") for cell in row]
    assert EVIL in cells
    assert b"<f>" not in (run.folder / "usage.xlsx").read_bytes()
    text = run.text("usage", "--csv").stdout
    assert f"'{EVIL}" in text
    assert f",{EVIL}" not in text


def test_a_workbook_is_never_written_over_another_unless_asked(alder: Customer, run: Run) -> None:
    path = run.folder / "usage.xlsx"
    path.write_bytes(b"mine")
    refused = run("usage", "--xlsx", "usage.xlsx")
    assert refused.exit_code == 2
    assert "is there already" in refused.json["error"]["message"]
    assert path.read_bytes() == b"mine"
    done = run("usage", "--xlsx", "usage.xlsx", "--overwrite")
    assert (done.exit_code, done.json["schema"]) == (0, "connector.usage/1")
    assert sheet(path)[0][0] == "Tenant"


def test_a_month_without_any_row_is_a_table_of_nothing(msp: Msp, run: Run) -> None:
    msp.world.publish(msp.period)
    for arguments in ((), ("--raw",), ("--by", "firewall")):
        shown = run.text("usage", *arguments, "--xlsx", "empty.xlsx", "--overwrite", "--csv")
        assert shown.exit_code == 0
        assert len(shown.stdout.splitlines()) == 1
    assert run("usage", "totals").json["products"] == []
