"""`connector diagnose` on whole months: each class through the command line, and nothing is ever written."""

import csv
import io
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from command_lines import parsed
from months.calling import Processes, Result, Run
from months.importing import broken, imports, row
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.ledger import Ledger
from connector.runs.lock import one_run_at_a_time
from connector.simulator import Fault, Simulator

LOOKING = Run.text


@pytest.fixture(autouse=True)
def sells(msp: Msp) -> None:
    """Endpoint sells at 3 dollars and e-mail at 2; Sophos bills 1.40 a unit of either."""
    msp.item(ENDPOINT).price, msp.item(EMAIL).price = Decimal(3), Decimal(2)


@pytest.fixture
def alder(msp: Msp, run: Run) -> Customer:
    """Alder was billed for 12."""
    made = msp.customer("Alder", {"CIXA-MSP": 12})
    assert run("sync").exit_code == 0
    return made


@pytest.fixture(autouse=True)
def left_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Diagnosing writes nothing to ConnectWise and leaves no run behind."""
    called = Run.text

    def watched(self: Run, *args: str, **settings: str | None) -> Result:
        if args[:1] != ("diagnose",):
            return called(self, *args, **settings)
        before = kept(self)
        result = called(self, *args, **settings)
        assert result.writes == []
        assert kept(self) == before
        if "--json" in args and result.exit_code in {0, 3}:
            for item in result.json["items"]:
                parsed(item["next"])
        return result

    monkeypatch.setattr(Run, "text", watched)


def kept(run: Run) -> dict[str, int]:
    """Count what the ledger holds; nothing may make one."""
    if not (run.state / "connector.db").exists():
        return {"files": len(list(run.folder.rglob("connector.*")))}
    with Ledger(run.state) as ledger:
        return {
            table: ledger.query(f"SELECT count(*) AS n FROM {table}")[0]["n"]  # noqa: S608
            for table in ("runs", "usage", "plans", "changes", "additions", "names", "tenants")
        }


def unwatched(run: Run) -> Result:
    """Diagnose where the ledger must not be opened before or after."""
    return LOOKING(run, "diagnose", "--json")


def classes(result: Result) -> list[str]:
    return [item["class"] for item in result.json["items"]]


def only(result: Result) -> Mapping[str, Any]:
    (item,) = result.json["items"]
    assert (item["next"].startswith("connector "), item["next"].count("\n")) == (True, 0)
    return dict(item)


def sides(item: Mapping[str, Any]) -> tuple[object, ...]:
    return item["usage"], item["written"], item["connectwise"], item["billed"]


def money(item: Mapping[str, Any]) -> tuple[str, str] | None:
    return None if item["money"] is None else (item["money"]["amount"], item["money"]["currency"])


# What is right, and what is wrong ----------------------------------------------------------------


def test_a_month_that_is_billed_as_used_is_a_clean_bill(run: Run, alder: Customer) -> None:
    found = run("diagnose")
    assert found.exit_code == 0
    assert found.json["items"] == found.json["totals"] == []
    assert found.json["coverage"] == {
        "tenants": 1,
        "tenants_checked": 1,
        "rows": 1,
        "rows_checked": 1,
        "money": [{"amount": "16.8", "currency": "USD", "checked": "16.8"}],
    }
    assert (found.json["schema"], found.json["period"]) == ("connector.diagnosis/1", "2026-10")
    assert run.text("diagnose").stdout.endswith("\nNothing is wrong.\n")


def test_usage_that_grew_since_is_billed_too_little(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 15)
    found = run("diagnose")
    item = only(found)
    assert (item["class"], sides(item), money(item)) == (
        "UNDER_BILLED",
        ("15", "12", "12", "12"),
        ("9", "USD"),
    )
    assert (item["addition_id"], item["agreement_id"]) == (alder.line().id, alder.agreement.id)
    assert (found.exit_code, item["next"]) == (3, "connector sync 2026-10")
    assert found.json["totals"] == [
        {"class": "UNDER_BILLED", "items": 1, "money": [{"amount": "9", "currency": "USD"}]}
    ]


def test_usage_that_fell_since_is_billed_too_much(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 10)
    assert (only(run("diagnose"))["class"], money(only(run("diagnose")))) == ("OVER_BILLED", ("6", "USD"))


def test_included_units_are_not_at_stake(run: Run, alder: Customer) -> None:
    alder.line().less_included = Decimal(13)
    alder.uses("CIXA-MSP", 15)
    item = only(run("diagnose"))
    assert (sides(item), money(item)) == (("15", "12", "12", "0"), ("6", "USD"))


def test_usage_without_a_line_and_a_line_without_usage(msp: Msp, run: Run, alder: Customer) -> None:
    msp.next_month()
    alder.stops("CIXA-MSP")
    alder.uses("CEMA-MSP", 4)
    found = {item["class"]: item for item in run("diagnose").json["items"]}
    assert money(found["NO_ADDITION"]) == ("8", "USD")
    assert money(found["ORPHAN_ADDITION"]) == ("36", "USD")
    assert len(found) == 2


def test_a_line_that_people_made_for_what_nobody_uses(run: Run, alder: Customer) -> None:
    alder.has(EMAIL, 5, unit_price=Decimal(2))
    item = only(run("diagnose"))
    assert (item["class"], sides(item)) == ("ORPHAN_ADDITION", (None, None, "5", "5"))


def test_a_line_that_people_made_waits_to_be_taken_over(msp: Msp, run: Run) -> None:
    msp.customer("Birch", {"CIXA-MSP": 7}).has(ENDPOINT, 7, unit_price=Decimal(3))
    item = only(run("diagnose"))
    assert item["class"] == "NEEDS_ADOPTION"
    assert run(*shlex.split(item["next"])[1:]).exit_code == 0
    assert run("diagnose").json["items"] == []


def test_the_next_command_takes_over_one_line_and_releases_what_holds_it(msp: Msp, run: Run) -> None:
    birch, cedar = msp.customer("Birch", {"CIXA-MSP": 500}), msp.customer("Cedar", {"CIXA-MSP": 7})
    birch.has(ENDPOINT, 10, unit_price=Decimal(3))
    cedar.has(ENDPOINT, 6, unit_price=Decimal(3))
    first = run("diagnose").json["items"][0]
    assert (first["class"], first["next"].endswith(" --force LARGE_INCREASE")) == ("UNDER_BILLED", True)
    run(*shlex.split(first["next"])[1:])
    assert [each.line().quantity for each in (birch, cedar)] == [Decimal(500), Decimal(6)]


def test_a_line_of_people_beside_ours_which_is_not_used_any_more(msp: Msp, run: Run, alder: Customer) -> None:
    msp.next_month()
    alder.stops("CIXA-MSP")
    alder.uses("CEMA-MSP", 1)
    run("sync", "--force", "all")
    theirs = alder.has(ENDPOINT, 5, unit_price=Decimal(3))
    item = only(run("diagnose"))
    assert (item["class"], item["addition_id"], money(item)) == ("ORPHAN_ADDITION", theirs.id, ("15", "USD"))


def test_a_line_whose_giving_back_was_killed_is_peoples(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 12})
    birch.has(ENDPOINT, 10, unit_price=Decimal(3))
    run("adopt")
    process: list[subprocess.Popen[str]] = []

    def kill(vendor: str, method: str, path: str, request: int) -> None:
        if (vendor, method) == ("connectwise", "PATCH"):
            process[0].send_signal(signal.SIGKILL)
            process[0].wait()

    simulator.after_commit = kill
    process.append(run_process.start("runs", "undo", "1"))
    process[0].communicate(timeout=60)
    simulator.after_commit = None
    assert birch.line().quantity == 10
    item = only(run("diagnose"))
    assert (item["class"], item["written"]) == ("UNDER_BILLED", None)
    assert item["next"].startswith("connector adopt 2026-10 --tenant ")


def test_a_month_that_is_past_is_compared_with_what_was_written_for_it(
    msp: Msp, run: Run, alder: Customer
) -> None:
    cedar = msp.customer("Cedar", {"CIXA-MSP": 4})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 15)
    run("sync")
    assert run("diagnose").json["items"] == run("diagnose", "2026-10").json["items"] == []
    msp.world.stop_using("2026-10", cedar.tenant, "CIXA-MSP")
    msp.world.use("2026-10", cedar.tenant, "CIXA-MSP", 6)
    with Ledger(run.state) as ledger, ledger.transaction() as db:
        db.execute("UPDATE changes SET after = '11' WHERE addition_id = ? AND run = 1", (alder.line().id,))
    found = {item["class"]: item for item in run("diagnose", "2026-10").json["items"]}
    assert found.keys() == {"UNDER_BILLED", "RESTATED"}
    assert sides(found["UNDER_BILLED"])[:2] == ("12", "11")
    assert found["RESTATED"]["next"] == "connector plan 2026-11"
    told = shlex.split(found["UNDER_BILLED"]["next"])[1:]
    assert (told[0], run(*told).exit_code) == ("explain", 0)


def test_a_line_that_no_run_of_its_month_wrote_had_what_the_next_one_found(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.next_month()
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 20)
    run("sync")
    assert run("diagnose", "2026-11").json["items"] == []


def test_a_quantity_that_somebody_changed(run: Run, alder: Customer) -> None:
    alder.line().quantity = Decimal(9)
    item = only(run("diagnose"))
    assert (item["class"], sides(item), money(item)) == (
        "HAND_EDITED",
        ("12", "12", "9", "9"),
        ("9", "USD"),
    )


def test_a_change_by_hand_that_fits_needs_nobody(run: Run, alder: Customer) -> None:
    alder.line().quantity = Decimal(15)
    alder.uses("CIXA-MSP", 15)
    found = run("diagnose")
    assert (found.exit_code, classes(found), only(found)["needs_person"]) == (0, ["HAND_EDITED"], False)
    assert "Worth knowing:\n  * HAND_EDITED  " in run.text("diagnose").stdout


def test_two_lines_for_one_thing(run: Run, alder: Customer) -> None:
    alder.has(ENDPOINT, 5, unit_price=Decimal(3))
    item = only(run("diagnose"))
    assert (item["class"], sides(item), money(item)) == (
        "DUPLICATE_ADDITIONS",
        ("12", "12", "17", "17"),
        ("15", "USD"),
    )


def test_a_line_that_somebody_ended(run: Run, alder: Customer) -> None:
    alder.line().cancelled = date(2026, 10, 5)
    item = only(run("diagnose"))
    assert (item["class"], item["next"].endswith(" --recreate")) == ("ENDED_BY_HAND", True)


def test_what_is_off_and_still_bills(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps("CIXA-MSP", sync=False)
    assert only(run("diagnose"))["class"] == "OFF_STILL_BILLING"


def test_an_agreement_that_ended_while_it_was_used(msp: Msp, run: Run, alder: Customer) -> None:
    msp.customer("Birch", {"CIXA-MSP": 3})
    run("sync")
    alder.agreement.cancelled = True
    item = only(run("diagnose"))
    assert (item["class"], sides(item)) == ("AGREEMENT_INACTIVE", ("12", "12", "12", "12"))


def test_unmapped_products_tenants_and_firewalls(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("NDR-MSP", 2)
    msp.customer("Stranger", {"CIXA-MSP": 1, "CEMA-MSP": 2}, mapped=False)
    msp.firewall("X1NOBODY", "XGS-MSP")
    found = run("diagnose")
    assert sorted(classes(found)) == ["FIREWALL_UNASSIGNED", "UNMAPPED_PRODUCT", "UNMAPPED_TENANT"]
    coverage = found.json["coverage"]
    assert (coverage["rows"], coverage["rows_checked"], coverage["tenants_checked"]) == (5, 1, 0)


def test_a_code_that_may_follow_another_is_one_finding(msp: Msp, run: Run) -> None:
    customers = [msp.customer(name, {"CIXA-MSP": 12}) for name in ("Alder", "Birch")]
    run("sync")
    msp.next_month()
    for each in customers:
        each.stops("CIXA-MSP")
        each.uses("CIXB-MSP", 12)
        each.uses("CEMA-MSP", 1)
    run("sync", "--product", "CEMA-MSP")
    item = only(run("diagnose"))
    assert (item["class"], sides(item)) == ("SUSPECTED_SUCCESSOR", ("24", "24", "24", "24"))
    assert item["next"] == f"connector products map CIXB-MSP {ENDPOINT}"


def test_a_month_that_changed_after_it_was_billed(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.advance(date(2026, 10, 29))
    alder.uses("CIXA-MSP", 14)
    item = only(run("diagnose"))
    assert (item["class"], sides(item), money(item)) == (
        "RESTATED",
        ("14", "12", "12", "12"),
        ("2.8", "USD"),
    )
    assert item["next"] == "connector sync 2026-10 --restate"
    msp.customer("Birch", {"CIXA-MSP": 5, "NDR-MSP": 2}, mapped=False)
    found = run("diagnose")
    assert sorted(classes(found)) == ["RESTATED", "UNMAPPED_TENANT"]
    assert (found.json["coverage"]["rows"], found.json["coverage"]["rows_checked"]) == (3, 0)


def test_what_is_off_is_no_restatement_and_what_is_the_same_neither(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.world.advance(date(2026, 10, 29))
    assert run("diagnose").json["items"] == []
    alder.uses("CIXA-MSP", 14)
    msp.maps("CIXA-MSP", sync=False)
    assert classes(run("diagnose")) == ["OFF_STILL_BILLING"]


def test_a_difference_after_the_invoice_is_out(run: Run, alder: Customer) -> None:
    alder.agreement.invoiced_through = date(2026, 11, 30)
    alder.uses("CIXA-MSP", 15)
    item = only(run("diagnose"))
    assert (item["class"], money(item)) == ("PERIOD_CLOSED", ("9", "USD"))


def test_an_agreement_that_is_invoiced_by_the_quarter_is_not_closed_by_its_date(
    run: Run, alder: Customer
) -> None:
    alder.agreement.invoiced_through = date(2026, 12, 31)
    alder.agreement.billing_cycle = "Quarterly"
    alder.uses("CIXA-MSP", 15)
    assert only(run("diagnose"))["class"] == "UNDER_BILLED"


def test_an_agreement_that_bills_ahead_is_closed_a_month_earlier(run: Run, alder: Customer) -> None:
    alder.agreement.invoiced_through = date(2026, 10, 31)
    alder.uses("CIXA-MSP", 15)
    assert only(run("diagnose"))["class"] == "UNDER_BILLED"
    alder.agreement.period_type = "Future"
    assert only(run("diagnose"))["class"] == "PERIOD_CLOSED"


def test_what_connectwise_said_when_it_was_tried_closes_the_month(msp: Msp, run: Run) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7}, invoiced_through=date(2026, 10, 31))
    assert run("sync").exit_code == 6
    item = only(run("diagnose"))
    assert (item["class"], "already been invoiced" in item["evidence"][0]) == ("PERIOD_CLOSED", True)
    birch.agreement.invoiced_through = None
    run("sync")
    assert run("diagnose").json["items"] == []


def test_prices_that_nobody_earns_from(msp: Msp, run: Run, alder: Customer) -> None:
    alder.line().unit_price = Decimal(0)
    assert (only(run("diagnose"))["class"], money(only(run("diagnose")))) == ("PRICE_ZERO", ("16.8", "USD"))
    alder.line().unit_price = Decimal(1)
    item = only(run("diagnose"))
    assert (item["class"], money(item)) == ("MARGIN_NEGATIVE", ("4.8", "USD"))


def test_another_currency_is_worth_knowing(msp: Msp, run: Run) -> None:
    msp.customer("Birch", {"CIXA-MSP": 7}, currency="EUR")
    run("sync")
    found = run("diagnose")
    assert (found.exit_code, classes(found)) == (0, ["CURRENCY_MISMATCH"])
    assert "do: write the rate under" in run.text("diagnose").stdout


def test_what_sophos_and_connectwise_call_otherwise(msp: Msp, run: Run, alder: Customer) -> None:
    msp.next_month()
    alder.uses("CIXA-MSP", 12, description="Endpoint reborn - User MSP Monthly")
    alder.company.identifier = "AlderNew"
    found = run("diagnose")
    assert (found.exit_code, classes(found)) == (0, ["RENAMED", "RENAMED"])
    told = " ".join(item["message"] for item in found.json["items"])
    assert ("Endpoint reborn" in told, "AlderNew" in told) == (True, True)


# What was not checked ----------------------------------------------------------------------------


def test_an_agreement_that_refuses_to_be_read_does_not_end_it(
    msp: Msp, run: Run, simulator: Simulator, alder: Customer
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    simulator.faults.add(Fault("403", path=f"/agreements/{birch.agreement.id}/additions"))
    found = run("diagnose")
    item = only(found)
    assert (item["class"], item["agreement_id"], found.exit_code) == ("NOT_CHECKED", birch.agreement.id, 3)
    assert (item["connectwise"], item["written"]) == (None, "7")
    assert found.json["coverage"]["rows_checked"] == 1


def test_a_right_that_is_missing_everywhere_is_told_as_such(
    msp: Msp, run: Run, simulator: Simulator, alder: Customer
) -> None:
    msp.customer("Birch", {"CIXA-MSP": 7})
    simulator.faults.add(Fault("403", path="/additions", times=None))
    assert run("diagnose").exit_code == 5


@pytest.mark.parametrize("kind", ["500", "html-200", "401-expired-token"])
def test_a_vendor_that_is_down_ends_it(run: Run, simulator: Simulator, alder: Customer, kind: Any) -> None:
    simulator.faults.add(Fault(kind, path="/additions", times=None))
    assert run("diagnose").exit_code == 5


def test_wrong_keys_end_it(run: Run, alder: Customer) -> None:
    assert run("diagnose", CONNECTWISE_PRIVATE_KEY="wrong").exit_code == 5


def test_a_month_that_is_not_published_is_none(run: Run, alder: Customer) -> None:
    assert run("diagnose", "2026-11").exit_code == 8


def test_an_empty_month_is_no_clean_bill(msp: Msp, run: Run) -> None:
    msp.customer("Birch")
    msp.world.publish((2026, 10))
    found = run("diagnose")
    assert (found.exit_code, classes(found)) == (3, ["NOT_CHECKED"])
    assert run.text("diagnose").stdout.startswith("October 2026: checked 0 of 0 rows, 0 of 0 tenants\n")


def test_a_run_in_progress_is_no_obstacle(run: Run, alder: Customer) -> None:
    with one_run_at_a_time(run.state, who="night", pid=1, command="sync", now=datetime.now(UTC)):
        assert run("diagnose").exit_code == 0


# What an earlier run left open -------------------------------------------------------------------


def test_a_write_whose_run_was_killed_counts_as_written_where_it_shows(
    run: Run, run_process: Processes, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 15)
    run_process.killed_at("PATCH", 1, committed=True)
    with Ledger(run.state) as ledger:
        assert len(ledger.open_changes()) == 1
    assert alder.line().quantity == 15
    assert run("diagnose").json["items"] == []
    alder.line().quantity = Decimal(13)
    assert sides(only(run("diagnose"))) == ("15", "12", "13", "13")


# Files -------------------------------------------------------------------------------------------


def test_an_imported_file_is_diagnosed_without_sophos(run: Run, alder: Customer) -> None:
    imports(run, [row(alder.tenant, "CIXA-MSP", 15)], [broken("CEMA-MSP")])
    found = run("diagnose", "--source", "file", SOPHOS_CLIENT_ID=None, SOPHOS_CLIENT_SECRET=None)
    assert found.json["source"] == "file"
    assert sorted(classes(found)) == ["UNDER_BILLED", "UNMAPPED_TENANT"]
    assert found.json["coverage"]["rows"] == 2
    told = run.text("diagnose", "2026-10", "--source", "file")
    assert told.stdout.startswith(
        "October 2026, from a consumption file (--source file): checked 1 of 2 rows"
    )


def test_a_month_without_a_file_has_none(run: Run, alder: Customer) -> None:
    assert run("diagnose", "--source", "file").exit_code == 8
    assert run("diagnose", "2026-09", "--source", "file").exit_code == 8


def test_sources_that_cannot_be_diagnosed_are_refused(run: Run, alder: Customer) -> None:
    assert run("diagnose", "--source", "live").exit_code == 2
    assert run("diagnose", "--source", "moon").exit_code == 2


HEADER = "End User Identifier,Account/Serial Number,Start Date,End Date,Product,Product Code,Quantity\n"


def invoice(run: Run, alder: Customer, *quantities: object) -> str:
    lines = [f"Alder,,2026-10-01,2026-10-31,Endpoint,CIXA-MSP,{each}" for each in quantities]
    (run.folder / "an invoice.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return "an invoice.csv"


def test_a_distributors_file_is_the_fourth_number(run: Run, alder: Customer) -> None:
    found = run("diagnose", "--against", invoice(run, alder, 14))
    item = only(found)
    assert (item["class"], item["usage"], item["distributor"], money(item)) == (
        "DISTRIBUTOR_DIFFERS",
        "12",
        "14",
        ("2.8", "USD"),
    )
    text = run.text("diagnose", "--against", "an invoice.csv")
    assert "usage 12 | written 12 | ConnectWise 12 | distributor 14" in text.stdout
    assert run("diagnose", "--against", invoice(run, alder, 12)).json["items"] == []


def test_its_rows_that_fail_are_named(run: Run, alder: Customer) -> None:
    found = run("diagnose", "--against", invoice(run, alder, 12, "many"))
    assert (only(found)["class"], found.exit_code) == ("IMPORT_FAILED", 3)


def test_a_file_that_is_not_there_is_a_fault(run: Run, alder: Customer) -> None:
    assert run("diagnose", "--against", "none.csv").exit_code == 2


# Lists -------------------------------------------------------------------------------------------


def test_items_are_told_as_csv_and_as_a_workbook(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 15)
    told = run.text("diagnose", "--csv")
    (listed,) = csv.DictReader(io.StringIO(told.stdout))
    assert (listed["Class"], listed["Money"], listed["Usage"], listed["Person"]) == (
        "UNDER_BILLED",
        "9",
        "15",
        "yes",
    )
    assert (told.exit_code, "Distributor" in listed) == (3, False)
    assert told.stderr.startswith("October 2026: checked 1 of 1 row, 1 of 1 tenant, 21.00 of 21.00 USD")
    against = run.text("diagnose", "--csv", "--against", invoice(run, alder, 14)).stdout
    assert [each["Distributor"] for each in csv.DictReader(io.StringIO(against))] == ["14", "14"]
    run.text("diagnose", "--xlsx", "month.xlsx")
    assert (run.folder / "month.xlsx").read_bytes().startswith(b"PK")


def test_the_answer_says_what_was_checked_first_and_what_to_do_last(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 15)
    told = run.text("diagnose")
    lines = told.stdout.splitlines()
    assert lines[0] == "October 2026: checked 1 of 1 row, 1 of 1 tenant, 21.00 of 21.00 USD"
    assert lines[2] == "A person must look at:"
    assert lines[3].startswith("  ! UNDER_BILLED  9.00 USD  SOPHOS-ENDPOINT on ")
    assert lines[4] == "      usage 15 | written 12 | ConnectWise 12"
    assert lines[6] == "      next: connector sync 2026-10"
    assert lines[-1] == "1 item: 1 UNDER_BILLED (9.00 USD)."


def test_a_name_that_steers_a_terminal_is_written_out(msp: Msp, run: Run) -> None:
    msp.customer("Ev\x1b[2Jil", {"CIXA-MSP": 1}, mapped=False)
    assert "\x1b" not in run.text("diagnose").stdout


def test_a_fresh_desk_can_be_looked_at_before_the_first_run(msp: Msp, run: Run, tmp_path: Path) -> None:
    msp.customer("Birch", {"CIXA-MSP": 7})
    assert classes(run("diagnose")) == ["NO_ADDITION"]
    assert not run.state.exists()


def test_an_older_ledger_is_read_and_stays_as_it_is(run: Run, alder: Customer) -> None:
    path = run.state / "connector.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for name in [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]:
            db.execute(f"DROP VIEW {name}")
        db.execute("DROP TABLE agreements")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'views_for_people'")
        db.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    alder.uses("CIXA-MSP", 15)
    called = unwatched(run)
    assert classes(called) == ["UNDER_BILLED"]
    assert path.read_bytes() == before


def test_a_damaged_or_newer_ledger_is_said_to_be_one(run: Run, alder: Customer) -> None:
    path = run.state / "connector.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('connector', 'tomorrow')")
    assert "newer version" in unwatched(run).json["error"]["message"]
    path.write_bytes(b"no database" * 999)
    assert unwatched(run).json["error"]["code"] == "STATE"
