"""`connector report` from the command line: the page, the workbook, the CSV files and its exit codes."""

import csv
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
from connector.ledger.arrival import take_in
from connector.ledger.imports import record_import
from connector.ledger.months import snapshots
from connector.ledger.period_run import period_run
from connector.ledger.totals import month_sums, months_before
from connector.model import Period, UsageRow
from connector.planning.findings import Options
from connector.planning.prices import Money, cost_of
from connector.runs.lock import one_run_at_a_time

ENDPOINT_CODE, FIREWALL_CODE = "CIXA-MSP", "DEMO-XGS107-XSP-MSP"
SHEETS = ["Plan", "Discrepancies", "Coverage", "Firewalls", "Usage"]
OCTOBER = Period(2026, 10)
NOW = datetime(2026, 10, 28, tzinfo=UTC)


@pytest.fixture
def alder(msp: Msp) -> Customer:
    """A customer that uses twelve and is billed nothing yet."""
    msp.item("SOPHOS-ENDPOINT").price = Decimal(5)
    return msp.customer("Alder", {ENDPOINT_CODE: 12})


def sheet(path: Path, name: str) -> list[dict[str, Any]]:
    """Return a sheet's rows by column title."""
    head, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name).to_python()
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_a_month_in_order_is_reported_as_such_and_exits_0(alder: Customer, run: Run) -> None:
    assert run("sync").exit_code == 0
    result = run("report", "--html", "out of office/october.html")
    assert result.exit_code == 0
    page = run.folder / "out of office" / "october.html"
    assert result.json == {
        "schema": "connector.report/1",
        "period": "2026-10",
        "files": [str(page)],
        "exit_code": 0,
    }
    assert not result.writes
    html = page.read_text(encoding="utf-8")
    assert "Nothing needs a person: every row was checked" in html
    assert "Run 1 (sync)" in html
    assert "1 of 1 row checked" in html
    assert run.text("report", "--xlsx", "october.xlsx").stdout.endswith("\nNothing needs a person.\n")


def test_a_month_that_needs_a_person_exits_3_and_its_page_says_what_to_type(
    alder: Customer, run: Run
) -> None:
    alder.uses("NDR-MSP", 2)
    result = run.text("report", "2026-10", "--html", "october.html")
    assert result.exit_code == 3
    assert "October 2026: checked 1 of 2 rows" in result.stdout
    assert str(run.folder / "october.html") in result.stdout
    assert "2 things need a person; the report says which." in result.stdout
    html = (run.folder / "october.html").read_text(encoding="utf-8")
    assert "UNMAPPED_PRODUCT" in html
    assert "<code>connector sync 2026-10</code>" in html
    assert not result.writes


def test_all_three_forms_are_written_at_once(alder: Customer, msp: Msp, run: Run) -> None:
    msp.firewall("X1C7SPARE04", FIREWALL_CODE)
    result = run("report", "--html", "a.HTM", "--xlsx", "b.xlsx", "--csv", "made/sheets")
    folder = run.folder / "made" / "sheets"
    assert [Path(each).name for each in result.json["files"]] == [
        "a.HTM", "b.xlsx", *(f"{name.lower()}.csv" for name in SHEETS),
    ]  # fmt: skip
    assert all(Path(each).is_file() for each in result.json["files"])
    assert CalamineWorkbook.from_path(str(run.folder / "b.xlsx")).sheet_names == SHEETS
    for name in SHEETS:
        with (folder / f"{name.lower()}.csv").open(encoding="utf-8-sig", newline="") as file:
            listed = list(csv.DictReader(file))
        assert len(listed) == len(sheet(run.folder / "b.xlsx", name)) > 0
        assert (folder / f"{name.lower()}.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    (spare,) = sheet(run.folder / "b.xlsx", "Firewalls")
    assert (spare["Serial"], spare["Tenant"]) == ("X1C7SPARE04", "nobody")
    used = {row["Product"]: row["Quantity"] for row in sheet(run.folder / "b.xlsx", "Usage")}
    assert used == {ENDPOINT_CODE: 12, FIREWALL_CODE: 1}
    assert "X1C7SPARE04" in (run.folder / "a.HTM").read_text(encoding="utf-8")


def test_months_that_were_stored_are_drawn_and_compared(alder: Customer, msp: Msp, run: Run) -> None:
    assert run("sync").exit_code == 0
    msp.next_month()
    alder.uses(ENDPOINT_CODE, 15)
    assert run("report", "--html", "n.html", "--xlsx", "n.xlsx").exit_code == 3
    html = (run.folder / "n.html").read_text(encoding="utf-8")
    assert "2026-10: 12; 2026-11: 15" in html
    assert "Usage against October 2026" in html
    (line,) = sheet(run.folder / "n.xlsx", "Usage")
    assert (line["Month before"], line["Quantity"]) == (12, 15)
    assert "No run has changed anything for November 2026 yet." in html


def test_the_report_works_while_a_run_holds_the_state_folder(alder: Customer, run: Run) -> None:
    run.state.mkdir()
    with one_run_at_a_time(run.state, who="nightly@host", pid=1, command="connector sync", now=NOW):
        assert run("report", "--html", "a.html").exit_code == 3


def test_a_report_stores_no_month_and_is_no_run(alder: Customer, run: Run) -> None:
    run("report", "--html", "a.html")
    with Ledger(run.state) as ledger:
        assert snapshots(ledger) == ()
        assert ledger.query("SELECT * FROM runs") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "A report is written to a file, and none is named."),
        (("--html", "page.txt"), "does not end in .html"),
        (("--xlsx", "book.xls"), "does not end in .xlsx"),
        (("--html", "there.html"), "is there already"),
        (("--csv", "there.html"), "is no folder"),
        (("--csv", "there.html/below"), "is no folder"),
        (("--html", "folder.html"), "is a folder"),
        (("--csv", "half"), "usage.csv is there already"),
        (("--csv", "w" * 300), "cannot be a file's name here"),
        (("--html", "nul\0.html"), "cannot be a file's name here"),
        (("--html", "new.html", "--source", "guess"), "there is no such source"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_read(
    alder: Customer, run: Run, options: tuple[str, ...], told: str
) -> None:
    (run.folder / "there.html").write_text("kept", encoding="utf-8")
    (run.folder / "folder.html").mkdir()
    (run.folder / "half").mkdir()
    (run.folder / "half" / "usage.csv").write_text("kept", encoding="utf-8")
    result = run("report", *options)
    assert result.exit_code == 2
    assert told in result.json["error"]["message"]
    assert not result.requests
    assert (run.folder / "there.html").read_text(encoding="utf-8") == "kept"
    assert sorted(path.name for path in (run.folder / "half").iterdir()) == ["usage.csv"]


def test_files_are_replaced_only_when_asked_to(alder: Customer, run: Run) -> None:
    (run.folder / "a.html").write_text("old", encoding="utf-8")
    assert run("report", "--html", "a.html").exit_code == 2
    assert run("report", "--html", "a.html", "--overwrite").exit_code == 3
    assert "<h1>October 2026</h1>" in (run.folder / "a.html").read_text(encoding="utf-8")
    assert [path.name for path in run.folder.glob("*.unsaved")] == []


def test_a_folder_that_cannot_be_made_is_told(
    alder: Customer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Path.mkdir

    def refuse(path: Path, *args: Any, **options: Any) -> None:
        if path.name == "new":
            raise PermissionError(13, "Permission denied")
        make(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    result = run("report", "--html", "new/a.html")
    assert result.exit_code == 2
    assert "new could not be made: Permission denied" in result.json["error"]["message"]


def test_a_month_that_sophos_has_not_published_has_no_report(alder: Customer, run: Run) -> None:
    result = run("report", "2026-12", "--html", "a.html")
    assert result.exit_code == 8
    assert not (run.folder / "a.html").exists()


def test_an_imported_file_is_reported_without_access_to_sophos(alder: Customer, run: Run) -> None:
    price = json.dumps({"unitPrice": "2.10", "unitPriceCurrency": "USD"})
    row = UsageRow(ENDPOINT_CODE, Decimal(9), alder.tenant, received=price)
    with Ledger(run.state) as ledger:
        record_import(ledger, OCTOBER, file="oct.csv", origin="x", rows=[(2, row)], failed=())
    result = run(
        "report", "--html", "a.html", "--source", "file", SOPHOS_CLIENT_ID=None, SOPHOS_CLIENT_SECRET=None
    )
    assert result.exit_code == 3
    html = (run.folder / "a.html").read_text(encoding="utf-8")
    assert "From a consumption file" in html
    assert "2026-10: 9" in html


def test_hostile_names_from_both_vendors_stay_text_in_each_form(msp: Msp, run: Run) -> None:
    evil = msp.customer("=cmd|' /C calc'!A0<script>", {ENDPOINT_CODE: 3})
    msp.world.tenants[evil.tenant].name = "<script>alert(1)</script>\u202e\x1b[31m" + "W" * 5_000
    assert run("report", "--html", "a.html", "--xlsx", "a.xlsx", "--csv", "s").exit_code == 3
    html = (run.folder / "a.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "\u202e" not in html
    assert "W" * 1_000 not in html
    for path in (run.folder / "s").iterdir():
        text = path.read_text(encoding="utf-8-sig")
        assert "\x1b" not in text
        assert not any(cell.startswith("=") for row in csv.reader(text.splitlines()) for cell in row)
    assert "<script>alert(1)</script>" in sheet(run.folder / "a.xlsx", "Usage")[0]["Tenant"]


# The ledger ------------------------------------------------------------------------------------------


def store(ledger: Ledger, period: str, source: str, *rows: UsageRow) -> None:
    """Store a month, of a file or as a run on the API does."""
    month = Period.parse(period)
    if source == "file":
        record_import(ledger, month, file="f.csv", origin=period, rows=enumerate(rows, 2), failed=())
        return
    number = ledger.begin_run("plan", Options(), who="me@host", version="1")
    take_in(ledger, number, month, source, rows)
    ledger.finish_run(number, 0)


def row(code: str, quantity: str, **said: object) -> UsageRow:
    """Return a row as it came."""
    return UsageRow(
        code, Decimal(quantity), "tenant", received=json.dumps({"billableQuantity": quantity} | said)
    )


def test_a_stored_month_is_added_up_exactly_as_its_rows_are(tmp_path: Path) -> None:
    rows = (
        *(row("A", "0.1", unitPrice="0.3", unitPriceCurrency="USD") for _ in range(3)),
        row("A", "2", unitPrice=4, unitPriceCurrency="EUR"),
        row("A", "5", unitPrice=True, unitPriceCurrency="USD"),
        row("A", "1", unitPrice="much"),
        row("B", "-1.5", unitPrice="10"),
        row("B", "7"),
    )
    with Ledger(tmp_path) as ledger:
        store(ledger, "2026-09", "sophos-api", *rows)
        (snapshot,) = snapshots(ledger)
        sums = month_sums(ledger, snapshot)
    assert sums.period == OCTOBER.previous
    assert {code: each.quantity for code, each in sums.codes.items()} == {
        "A": Decimal("8.3"), "B": Decimal("5.5"),
    }  # fmt: skip
    assert sums.codes["A"].cost == cost_of(each for each in rows if each.product_code == "A")
    assert sums.codes["B"].cost == (Money(Decimal(-15), ""),)


def test_months_are_told_by_the_reports_own_source_where_there_is_one(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        store(ledger, "2026-07", "file", row("A", "1"))
        store(ledger, "2026-08", "sophos-api", row("A", "2"))
        store(ledger, "2026-08", "file", row("A", "3"))
        store(ledger, "2026-09", "sophos-api", row("A", "4"))
        store(ledger, "2026-09", "sophos-api", row("A", "5"))
        store(ledger, "2026-10", "sophos-api", row("A", "6"))
        by_api = {str(each): it.source for each, it in months_before(ledger, OCTOBER, "sophos-api").items()}
        by_file = {str(each): it.source for each, it in months_before(ledger, OCTOBER, "file").items()}
        september = months_before(ledger, OCTOBER, "file")[OCTOBER.previous]
        assert month_sums(ledger, september).codes["A"].quantity == 5
    assert by_api == {"2026-09": "sophos-api", "2026-08": "sophos-api", "2026-07": "file"}
    assert by_file == {"2026-09": "sophos-api", "2026-08": "file", "2026-07": "file"}


def test_the_last_run_with_changes_is_told_and_idle_ones_after_it_are_counted(
    alder: Customer, run: Run
) -> None:
    with Ledger(run.state) as ledger:
        assert period_run(ledger, OCTOBER) is None
    run("sync")
    run("sync")
    with Ledger(run.state) as ledger:
        made = period_run(ledger, OCTOBER)
        assert period_run(ledger, OCTOBER.previous) is None
        with ledger.transaction() as db:
            db.execute("UPDATE plans SET document = '{\"changes\": []}'")
        nameless = period_run(ledger, OCTOBER)
        with ledger.transaction() as db:
            db.execute("DELETE FROM plans")
        planless = period_run(ledger, OCTOBER)
    assert made is not None
    assert (made.number, made.kind, made.exit_code) == (1, "sync", 0)
    (change,) = made.changes
    assert (change.kind, change.before, change.outcome) == ("create", None, "done")
    assert change.after == Decimal(12)
    assert (change.company, change.item, change.agreement) == ("Alder", "SOPHOS-ENDPOINT", "Managed Security")
    assert change.addition_id == alder.line().id
    assert nameless is not None
    assert nameless.changes[0].item == ""
    assert planless == nameless


def test_runs_that_had_nothing_to_change_are_counted_after_the_last_that_had(
    alder: Customer, run: Run
) -> None:
    run("sync")
    with Ledger(run.state) as ledger, ledger.transaction() as db:
        db.execute(
            "INSERT INTO runs (kind, period, options, who, version, started_at, finished_at, applied) "
            "VALUES ('sync', '2026-10', '{}', 'me', '1', '2026', '2026', 1)"
        )
    with Ledger(run.state) as ledger:
        made = period_run(ledger, OCTOBER)
    assert made is not None
    assert (made.number, made.later) == (1, 1)


def test_a_later_run_that_held_all_does_not_hide_what_was_changed(alder: Customer, run: Run) -> None:
    run("sync")
    alder.uses(ENDPOINT_CODE, 900)
    run("sync")
    with Ledger(run.state) as ledger:
        made = period_run(ledger, OCTOBER)
    assert made is not None
    assert (made.number, made.later, made.later_held) == (1, 0, 1)
    assert run("report", "--html", "a.html").exit_code == 3
    html = " ".join((run.folder / "a.html").read_text(encoding="utf-8").split())
    assert "1 later run made none of the changes that were planned: each was held or not tried." in html


def test_where_all_was_held_that_is_what_the_last_run_tells(alder: Customer, run: Run) -> None:
    alder.has("SOPHOS-ENDPOINT", 2)
    run("sync")
    with Ledger(run.state) as ledger:
        made = period_run(ledger, OCTOBER)
    assert made is not None
    assert (made.number, made.outcomes, made.later_held) == (1, (("held", 1),), 0)
