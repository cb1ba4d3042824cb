"""`connector runs`, `runs show N` and `runs undo N`: what was run, and taking it back."""

import csv
import hashlib
import io
import json
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from months.calling import Processes, Run
from months.importing import imports, row
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.ledger import Ledger
from connector.ledger.billed import applied_sources, billed_month
from connector.ledger.history import last_applied_map, last_run
from connector.model import Period
from connector.simulator import Fault

OCTOBER, NOVEMBER = "2026-10", "2026-11"


@pytest.fixture
def alder(msp: Msp, run: Run) -> Customer:
    """A customer whose 40 endpoints were billed by run 1."""
    customer = msp.customer("Alder", {"CIXA-MSP": 40})
    assert run("sync").json["run"] == 1
    return customer


def unmarked(customer: Customer) -> bool:
    return not customer.line().serial_number


def rows(run: Run, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(run.state / "connector.db")) as database:
        return database.execute(sql).fetchall()


# The list ----------------------------------------------------------------------------------------


def test_runs_are_listed_the_newest_first_and_no_vendor_is_asked(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("plan")
    run("sync", "--tenant", alder.tenant)

    done = run("runs", SOPHOS_CLIENT_ID=None, CONNECTWISE_URL=None)

    assert (done.exit_code, list(done.requests)) == (0, [])
    assert (done.json["schema"], done.json["total"]) == ("connector.runs/1", 3)
    newest = done.json["runs"][0]
    assert [(it["run"], it["kind"], it["period"], it["ended"]) for it in done.json["runs"]] == [
        (3, "sync", OCTOBER, "done"),
        (2, "plan", OCTOBER, "done"),
        (1, "sync", OCTOBER, "done"),
    ]
    assert (newest["source"], newest["exit_code"], newest["outcomes"]) == ("sophos-api", 0, {"done": 1})
    assert newest["options"]["tenant"] == alder.tenant
    assert "@" in newest["who"]
    assert newest["version"]
    assert newest["digest"]
    assert newest["seconds"] >= 0


def test_only_the_newest_are_listed_unless_all_are_asked_for(run: Run, alder: Customer) -> None:
    run("plan")
    run("plan")

    limited = run("runs", "--limit", "1")

    assert [it["run"] for it in limited.json["runs"]] == [3]
    assert "1 of 3 runs" in limited.stderr
    assert len(run("runs", "--limit", "1", "--all").json["runs"]) == 3


def test_the_list_goes_into_a_spreadsheet(run: Run, alder: Customer) -> None:
    header, first = csv.reader(io.StringIO(run.text("runs", "--csv").stdout))

    said = dict(zip(header, first, strict=True))
    assert (said["Run"], said["Kind"], said["Ended"], said["Changes"]) == ("1", "sync", "done", "1 done")
    assert run.text("runs", "--xlsx", "runs.xlsx").exit_code == 0
    assert (run.folder / "runs.xlsx").read_bytes().startswith(b"PK")


def test_a_folder_without_a_ledger_has_no_runs_and_gets_none(run: Run) -> None:
    done = run("runs")

    assert (done.exit_code, done.json["runs"]) == (0, [])
    assert not run.state.exists()
    assert run("runs", "show", "1").exit_code == 2
    assert run("runs", "undo", "1").exit_code == 2
    assert not run.state.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_is_told_as_killed(msp: Msp, run: Run, run_process: Processes) -> None:
    msp.customer("Alder", {"CIXA-MSP": 40})
    run_process.killed_at("POST", 1, committed=True)

    assert "not ended" in run("runs").json["runs"][0]["ended"]
    run("sync")

    killed = run("runs").json["runs"][1]
    assert (killed["ended"], killed["seconds"], killed["error"]) == ("killed", None, "KILLED")


def test_how_a_run_ended_is_told_in_words(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("NEW-MSP", 1)
    run("sync")
    run("sync", "2020-01")

    assert [it["ended"] for it in run("runs").json["runs"]][:2] == [
        "not published (8: NOT_PUBLISHED)",
        "a person must decide (3)",
    ]


# One run -----------------------------------------------------------------------------------------


def test_a_run_is_shown_with_each_change_its_map_and_its_usage(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    alder.uses("NEW-MSP", 1)
    run("sync", "--force", "removals")

    shown = run("runs", "show", "2").json

    assert shown["schema"] == "connector.run_history/1"
    (change,) = shown["changes"]
    assert (change["before"], change["after"], change["outcome"]) == ("40", "43", "done")
    assert (change["addition_id"], change["item"], change["company"]) == (alder.line().id, ENDPOINT, "Alder")
    assert [entry["code"] for entry in shown["unresolved"]] == ["UNMAPPED_PRODUCT"]
    text = (run.folder / "mappings.yaml").read_text("utf-8")
    assert shown["map"] == {"hash": hashlib.sha256(text.encode()).hexdigest(), "is_todays": True}
    assert (shown["usage"]["rows"], shown["usage"]["period"]) == (2, OCTOBER)
    assert shown["options"]["force"] == ["removals"]

    said = run.text("runs", "show", "2").stdout
    assert "the same as today's" in said
    assert "--force removals" in said
    assert "connector runs undo 2 --dry-run" in said


def test_a_map_that_was_edited_since_is_not_todays(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps("CEMA-MSP", item=EMAIL, name="E-mail")

    assert run("runs", "show", "1").json["map"]["is_todays"] is False
    (run.folder / "mappings.yaml").unlink()
    run.map_kept = True
    assert run("runs", "show", "1").json["map"]["is_todays"] is None
    assert "there is none today" in run.text("runs", "show", "1").stdout


def test_a_plan_shows_what_it_would_have_changed(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("plan")

    shown = run("runs", "show", "2").json

    assert [(it["kind"], it["outcome"]) for it in shown["changes"]] == [("update", "planned")]
    assert "planned" in run.text("runs", "show", "2").stdout


def test_a_change_that_was_refused_is_shown_with_what_connectwise_said(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 43)
    run.simulator.faults.add(Fault("409", vendor="connectwise", method="PATCH"))
    assert run("sync").exit_code == 6

    (change,) = run("runs", "show", "2").json["changes"]
    assert change["outcome"] == "failed"
    assert change["message"] in run.text("runs", "show", "2").stdout
    with Ledger(run.state) as ledger:
        ledger.record_outcome(2, "failed", "it said no", "0HN7-2")
    assert "it said no; request id 0HN7-2" in run.text("runs", "show", "2").stdout


def test_a_run_from_a_file_names_the_file(run: Run, alder: Customer) -> None:
    imports(run, [row(alder.tenant, "CIXA-MSP", 41)])
    run("plan", OCTOBER, "--source", "file")

    assert run("runs", "show", "2").json["usage"]["file"] == "october.csv"
    assert "1 rows from file, file october.csv" in run.text("runs", "show", "2").stdout


def test_a_run_that_read_nothing_and_changed_nothing_says_so(run: Run, alder: Customer) -> None:
    run("state", "rebuild")

    shown = run.text("runs", "show", "2")

    assert (shown.exit_code, run("runs", "show", "2").json["map"]) == (0, None)
    assert shown.stdout.endswith("It changed nothing in ConnectWise.\n")
    assert "usage" not in shown.stdout


def test_a_number_that_no_run_can_have_is_the_commands_fault_too(run: Run, alder: Customer) -> None:
    for words in (("show", str(2**63)), ("undo", "9" * 25), ("--limit", str(2**63))):
        done = run("runs", *words)
        assert (done.exit_code, done.json["error"]["code"]) == (2, "COMMAND")
    assert len(run("runs", "--limit", str(2**63 - 1)).json["runs"]) == 1


def test_a_run_that_does_not_exist_is_the_commands_fault(run: Run, alder: Customer) -> None:
    for command in ("show", "undo"):
        done = run("runs", command, "99")
        assert (done.exit_code, done.json["error"]["code"]) == (2, "COMMAND")
        assert done.json["error"]["next"].endswith("connector runs")


# Undoing -----------------------------------------------------------------------------------------


def test_an_update_is_taken_back_and_the_next_sync_bills_by_the_map_again(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("sync")

    dry = run("runs", "undo", "2", "--dry-run")
    assert (dry.exit_code, dry.changes, dry.writes) == (0, [("update", "43", "40")], [])
    assert (dry.json["schema"], dry.json["undoes"]) == ("connector.plan/1", 2)
    applied = run("apply", dry.json["digest"])
    assert (applied.exit_code, applied.writes) == (2, [])
    assert applied.json["error"]["next"].endswith("connector runs undo 2")
    done = run("runs", "undo", "2")

    assert (done.exit_code, done.outcomes) == (0, [("update", "done")])
    assert (done.json["schema"], done.json["undoes"], done.json["period"]) == ("connector.run/1", 2, OCTOBER)
    assert alder.bills == {ENDPOINT: 40}
    assert run("runs", "show", "2").json["undone_by"] == [done.json["run"]]
    assert f"by run {done.json['run']}." in run.text("runs", "show", "2").stdout
    assert [it["kind"] for it in run("runs").json["runs"]] == ["undo", "apply", "undo", "sync", "sync"]
    assert run("plan").changes == [("update", "40", "43")]


def test_a_second_undo_finds_nothing_to_do(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("sync")
    run("runs", "undo", "2")

    again = run("runs", "undo", "2")

    assert (again.exit_code, again.writes, again.outcomes) == (0, [], [])
    assert "taken back already" in run.text("runs", "undo", "2").stdout


def test_an_undo_is_undone_and_so_is_that(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("sync")

    assert run("runs", "undo", "2").json["run"] == 3
    assert (run("runs", "undo", "3").json["run"], alder.bills) == (4, {ENDPOINT: 43})
    assert run("sync").writes == []
    assert (run("runs", "undo", "2").exit_code, alder.bills) == (0, {ENDPOINT: 40})


def test_runs_are_undone_one_after_the_other_the_newest_first(run: Run, alder: Customer) -> None:
    for count in (43, 45):
        alder.uses("CIXA-MSP", count)
        run("sync")

    refused = run("runs", "undo", "2")
    assert (refused.exit_code, refused.unresolved, refused.writes) == (3, ["MOVED_SINCE"], [])
    assert refused.json["unresolved"][0]["next"].endswith("connector runs undo 3")

    assert run("runs", "undo", "3").exit_code == 0
    assert run("runs", "undo", "2").exit_code == 0
    assert alder.bills == {ENDPOINT: 40}


def test_a_zero_goes_back_to_what_it_was(msp: Msp, run: Run, alder: Customer) -> None:
    msp.next_month()
    alder.uses("CIXA-MSP", 0)
    assert run("sync").outcomes == [("zero", "done")]

    assert run("runs", "undo", "2").outcomes == [("update", "done")]
    assert alder.bills == {ENDPOINT: 40}
    ((fed,),) = rows(run, "SELECT parts FROM additions")
    assert json.loads(fed)[0][:3] == [alder.tenant, "CIXA-MSP", "40"]


def test_a_created_line_goes_to_zero_and_stays_ours(run: Run, alder: Customer) -> None:
    line = alder.line()

    done = run("runs", "undo", "1")

    assert (done.exit_code, done.outcomes, done.warnings) == (0, [("zero", "done")], ["STAYS_OURS"])
    assert line.quantity == 0
    assert line.cancelled is None
    assert run("plan").changes == [("update", "0", "40")]


def test_an_adopted_line_is_peoples_again(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)
    assert run("sync", "--adopt").outcomes == [("adopt", "done")]

    done = run("runs", "undo", "1")

    assert (done.exit_code, done.outcomes) == (0, [("update", "done")])
    assert (alder.bills, unmarked(alder)) == ({ENDPOINT: 12}, True)
    assert rows(run, "SELECT count(*) FROM additions") == [(0,)]
    assert run("state", "check").exit_code == 0
    assert run("plan").held == ["NEEDS_ADOPTION"]
    assert run("runs", "undo", "1").writes == []

    assert run("runs", "undo", "2").outcomes == [("adopt", "done")]
    assert (alder.bills, unmarked(alder)) == ({ENDPOINT: 14}, False)
    assert run("sync").writes == []


def test_a_run_of_adopt_is_taken_back(msp: Msp, run: Run) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 14}), msp.customer("Birch", {"CIXA-MSP": 7})
    alder.has(ENDPOINT, 12)
    birch.has(ENDPOINT, 7, serial_number="PO 4711")
    assert run("adopt").outcomes == [("adopt", "done"), ("adopt", "done")]

    assert run("runs", "undo", "1").exit_code == 0

    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7})
    assert (unmarked(alder), birch.line().serial_number) == (True, "PO 4711")
    assert run("plan").held == ["NEEDS_ADOPTION", "NEEDS_ADOPTION"]


def test_a_line_that_was_adopted_with_its_quantity_and_no_mark_is_only_forgotten(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    alder.has(ENDPOINT, 12, serial_number="PO 4711")
    run("sync", "--adopt")

    done = run("runs", "undo", "1")

    assert (done.exit_code, done.outcomes, done.writes) == (0, [("update", "done")], [])
    assert alder.line().serial_number == "PO 4711"
    assert run("plan").held == ["NEEDS_ADOPTION"]


def test_a_mark_that_people_wrote_beside_is_not_wiped(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    line = alder.has(ENDPOINT, 12)
    run("sync", "--adopt")
    line.serial_number = f"{line.serial_number} PO 4711"

    done = run("runs", "undo", "1")

    assert (done.exit_code, done.unresolved, done.writes) == (3, ["MOVED_SINCE"], [])


def test_an_end_date_stays_and_a_person_is_told_how(msp: Msp, run: Run, alder: Customer) -> None:
    msp.mappings["defaults"] = {"absent": "end"}
    msp.next_month()
    alder.uses("CIXA-MSP", 0)
    assert run("sync").outcomes == [("end", "done")]

    done = run("runs", "undo", "2")

    assert (done.exit_code, done.unresolved, done.writes) == (3, ["END_STAYS"], [])
    assert "connector sync --recreate" in done.json["unresolved"][0]["next"]


@pytest.mark.parametrize(
    ("moves", "word"),
    [
        (lambda line: setattr(line, "quantity", 50), "shows 50"),
        (lambda line: setattr(line, "cancelled", date(2026, 10, 20)), "ended on 2026-10-20"),
    ],
)
def test_a_line_that_people_moved_is_refused_and_the_others_are_undone(
    msp: Msp, run: Run, alder: Customer, moves: Any, word: str
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    alder.uses("CIXA-MSP", 43)
    birch.uses("CIXA-MSP", 9)
    run("sync")
    line = alder.line()
    moves(line)

    done = run("runs", "undo", "3")

    assert (done.exit_code, done.unresolved, done.outcomes) == (3, ["MOVED_SINCE"], [("update", "done")])
    assert word in done.json["unresolved"][0]["message"]
    assert line.quantity in {50, 43}
    assert birch.bills == {ENDPOINT: 7}


def test_prices_that_a_rule_set_go_back_too(msp: Msp, run: Run, alder: Customer) -> None:
    alder.line().unit_price = Decimal("5.00")
    msp.maps("CIXA-MSP", item=ENDPOINT, pricing={"price": {"fixed": "6.50"}})
    assert run("sync").exit_code == 0
    assert alder.line().unit_price == Decimal("6.50")

    assert "price 5 -> 6.5" in run.text("runs", "show", "2").stdout

    undone = run.text("runs", "undo", "2")

    assert undone.exit_code == 0
    assert "price 6.5 -> 5" in undone.stdout
    assert alder.line().unit_price == Decimal("5.00")
    assert alder.bills == {ENDPOINT: 40}


def test_a_guard_refuses_an_undo_and_force_releases_it(msp: Msp, run: Run) -> None:
    msp.customers(12)
    run("sync")

    refused = run("runs", "undo", "1")
    assert (refused.exit_code, refused.guards, refused.writes) == (4, ["removals", "decrease"], [])
    assert all("connector runs undo 1 --force" in it["message"] for it in refused.json["guards"])
    assert "connector runs undo 1 --force removals --force decrease" in run.text("runs", "undo", "1").stdout

    shown = run("runs", "show", "2")
    assert (shown.guards, shown.json["ended"]) == (["removals", "decrease"], "refused (4)")
    assert "Guards refused the run" in run.text("runs", "show", "2").stdout

    assert run("runs", "undo", "1", "--force", "removals", "decrease").exit_code == 0
    assert "made the same plan again" in run.text("runs", "show", "2").stdout
    assert {line.quantity for line in msp.world.live_additions()} == {0}


def test_a_run_that_wrote_nothing_cannot_be_undone_and_leaves_no_run(run: Run, alder: Customer) -> None:
    run("plan")
    done = run("runs", "undo", "2")

    assert (done.exit_code, len(run("runs").json["runs"])) == (2, 2)
    assert "wrote nothing" in done.json["error"]["message"]


def test_a_sync_that_had_nothing_to_do_has_nothing_to_undo(run: Run, alder: Customer) -> None:
    run("sync")

    done = run.text("runs", "undo", "2")

    assert (done.exit_code, done.writes) == (0, [])
    assert "changed nothing" in done.stdout


def test_changes_that_were_not_made_are_said_not_to_be_undone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    alder.has(ENDPOINT, 12)
    run("sync")

    done = run("runs", "undo", "1")

    assert (done.exit_code, done.outcomes) == (0, [("zero", "done")])
    assert done.warnings == ["NOT_DONE", "STAYS_OURS"]
    assert "1 held" in done.json["warnings"][0]["message"]


def test_an_undo_needs_no_sophos_and_says_what_comes_next(run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("sync")

    dry = run.text("runs", "undo", "2", "--dry-run", SOPHOS_CLIENT_ID=None, SOPHOS_CLIENT_SECRET=None)
    done = run.text("runs", "undo", "2", SOPHOS_CLIENT_ID=None, SOPHOS_CLIENT_SECRET=None)

    assert "Nothing was written. To make these changes: connector runs undo 2" in dry.stdout
    assert done.exit_code == 0
    assert {request.vendor for request in done.requests} == {"connectwise"}
    assert done.stdout.splitlines()[-1].startswith("Mend the map before the next run")


def test_an_undo_is_no_run_of_the_month(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("sync")
    with Ledger(run.state) as ledger:
        used, last = last_applied_map(ledger), last_run(ledger)
    msp.maps("CEMA-MSP", item=EMAIL, name="E-mail")
    assert run("runs", "undo", "2").exit_code == 0

    with Ledger(run.state) as ledger:
        assert (last_applied_map(ledger), last_run(ledger)) == (used, last)
        assert applied_sources(ledger, Period.parse(OCTOBER)) == ("sophos-api",)  # run 1 alone
        billed = billed_month(ledger, Period.parse(OCTOBER), "sophos-api", date(2026, 12, 1))
        assert billed is not None
        assert str(ledger.newest_applied()) == OCTOBER
    (undo,) = rows(run, "SELECT usage, source, map, period FROM runs WHERE kind = 'undo'")
    assert undo == (None, None, None, OCTOBER)


def test_undoing_an_older_month_is_no_matter_of_the_order_of_months(
    msp: Msp, run: Run, alder: Customer
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    msp.next_month()
    alder.uses("CIXA-MSP", 43)
    run("sync")

    done = run("runs", "undo", "2")

    assert (done.exit_code, done.guards, birch.bills) == (0, [], {ENDPOINT: 0})
    with Ledger(run.state) as ledger:
        assert str(ledger.newest_applied()) == NOVEMBER


def test_an_applied_plan_of_one_tenant_is_not_the_last_run_over_all(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 43)
    digest = run("plan", "--tenant", alder.tenant).json["digest"]
    assert run("apply", digest).exit_code == 0

    with Ledger(run.state) as ledger:
        last = last_run(ledger)
    assert last is not None
    assert last.number == 1
    assert run("runs").json["runs"][0]["options"]["tenant"] == alder.tenant
    assert run("runs", "undo", "3").exit_code == 0
    assert alder.bills == {ENDPOINT: 40}


def test_a_refused_undo_fails_alone_and_can_be_repeated(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 43)
    run("sync")
    run.simulator.faults.add(Fault("409", vendor="connectwise", method="PATCH"))

    failed = run.text("runs", "undo", "2")
    assert failed.exit_code == 6
    assert "connector runs undo 2" in failed.stdout
    assert (run("runs", "undo", "2").exit_code, alder.bills) == (0, {ENDPOINT: 40})


# What counts as billed afterwards ----------------------------------------------------------------


@pytest.mark.parametrize("another_day", [False, True])
def test_an_undone_restatement_is_no_longer_what_was_billed(
    msp: Msp, run: Run, alder: Customer, another_day: bool
) -> None:
    msp.world.advance(date(2026, 10, 30))
    alder.uses("CIXA-MSP", 44)
    assert run("sync", "--restate").exit_code == 0
    assert run("runs", "undo", "2").exit_code == 0
    if another_day:
        msp.world.advance(date(2026, 10, 31))

    done = run("sync")

    assert (done.exit_code, done.unresolved, done.writes) == (3, ["RESTATED"], [])
    assert alder.bills == {ENDPOINT: 40}
    assert run("runs", "undo", "3").exit_code == 0
    assert (run("sync").exit_code, alder.bills) == (0, {ENDPOINT: 44})


def test_a_month_whose_only_run_is_undone_is_open_again(msp: Msp, run: Run, alder: Customer) -> None:
    assert run("runs", "undo", "1").exit_code == 0
    msp.world.advance(date(2026, 10, 30))
    alder.uses("CIXA-MSP", 38)

    done = run("sync")

    assert (done.exit_code, done.unresolved, done.outcomes) == (0, [], [("update", "done")])
    assert alder.bills == {ENDPOINT: 38}


def test_a_month_that_was_billed_by_mistake_does_not_keep_out_the_one_before(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.next_month()
    alder.uses("CIXA-MSP", 14)
    run("sync", NOVEMBER)
    assert run("sync", OCTOBER).guards == ["period_order"]

    assert run("runs", "undo", "1").exit_code == 0

    assert (run("sync", OCTOBER).exit_code, alder.bills) == (0, {ENDPOINT: 12})


def test_a_source_whose_only_run_is_undone_does_not_keep_out_another(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    imports(run, [row(alder.tenant, "CIXA-MSP", 11)])
    assert run("sync", "--source", "file").exit_code == 0
    assert run("sync").guards == ["source"]

    assert run("runs", "undo", "1").exit_code == 0

    assert (run("sync").exit_code, alder.bills) == (0, {ENDPOINT: 12})


def test_an_adoption_leaves_its_month_open_done_or_undone(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12)
    assert run("adopt").outcomes == [("adopt", "done")]
    with Ledger(run.state) as ledger:
        assert ledger.newest_applied() is None

    run("runs", "undo", "1")

    with Ledger(run.state) as ledger:
        assert ledger.newest_applied() is None


def test_a_run_that_is_undone_in_part_still_counts(msp: Msp, run: Run, alder: Customer) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    msp.next_month()
    run("sync", NOVEMBER)
    birch.line().quantity = Decimal(8)
    alder.uses("CIXA-MSP", 41)
    run("sync", NOVEMBER, "--tenant", alder.tenant)

    with Ledger(run.state) as ledger:
        assert len(applied_sources(ledger, Period.parse(NOVEMBER))) == 2
    birch.line().quantity = Decimal(9)
    assert run("runs", "undo", "3").exit_code == 0
    assert run("runs", "undo", "2").unresolved == ["MOVED_SINCE"]

    with Ledger(run.state) as ledger:
        assert len(applied_sources(ledger, Period.parse(NOVEMBER))) == 1
        assert str(ledger.newest_applied()) == NOVEMBER


def test_a_ledger_of_a_thousand_runs_tells_what_still_counts(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        with ledger.transaction() as db:
            db.conn.executemany(
                "INSERT INTO runs (id, kind, period, source, options, who, version, started_at, applied) "
                "VALUES (?, ?, ?, 'sophos-api', ?, 'me', '1', '', 1)",
                [
                    (run, "undo" if run % 2 == 0 else "sync", f"{2000 + run // 12}-{run % 12 + 1:02}",
                     json.dumps({"undo": run - 1} if run % 2 == 0 else {}))
                    for run in range(1, 1001)
                ],
            )  # fmt: skip
            db.conn.executemany(
                "INSERT INTO changes (run, digest, number, kind, agreement_id, item_id, addition_id, after, "
                "mark, because, parts, was, writes, outcome) "
                "VALUES (?, '', 0, 'update', 1, 1, ?, '1', '', '', '[]', '[]', '[]', 'done')",
                [(run, addition) for run in range(1, 1001) for addition in range(20)],
            )

        assert ledger.newest_applied() is None
        assert applied_sources(ledger, Period.parse("2001-02")) == ()


# What an undo is measured by ---------------------------------------------------------------------


def test_the_money_of_an_undo_is_guarded_and_told(msp: Msp, run: Run, alder: Customer) -> None:
    alder.line().unit_price = Decimal(3)
    alder.uses("CIXA-MSP", 43)
    run("sync")
    msp.mappings["guards"] = {"money": 5}

    refused = run("runs", "undo", "2")

    assert (refused.exit_code, refused.guards, refused.writes) == (4, ["money"], [])
    assert refused.json["outcomes"][0]["money"] == {"amount": "-9", "currency": "USD"}
    said = run.text("runs", "undo", "2", "--dry-run").stdout
    assert "bill -9.00 USD" in said
    assert "Bills change by -9.00 USD." in said
    assert run("runs", "undo", "2", "--force", "money").exit_code == 0


def test_a_fall_is_not_undone_without_asking_where_the_line_would_rise_far(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 400})
    run("sync")
    alder.uses("CIXA-MSP", 10)
    run("sync", "--force", "all")

    held = run("runs", "undo", "2")

    assert (held.exit_code, held.held, held.writes) == (3, ["LARGE_INCREASE"], [])
    said = run.text("runs", "undo", "2", "--dry-run").stdout
    assert "held: LARGE_INCREASE" in said
    assert "0 to undo, 1 held" in said
    assert "connector runs undo 2 --force LARGE_INCREASE" in said
    assert "To make these changes" not in said
    assert "held: held" not in run.text("runs", "undo", "2").stdout
    assert run("runs", "undo", "2", "--force", "LARGE_INCREASE").exit_code == 0
    assert alder.bills == {ENDPOINT: 400}


def test_an_undo_is_measured_by_all_lines_of_ours_as_connectwise_shows_them(msp: Msp, run: Run) -> None:
    before = msp.customers(20)
    run("sync")
    for name in ("Yew", "Zelkova"):
        msp.customer(name, {"CIXA-MSP": 1, "CEMA-MSP": 1})
    assert run("sync").exit_code == 0
    assert run("runs", "undo", "2", "--dry-run").guards == []

    for customer in before[8:]:
        customer.line().cancelled = date(2026, 10, 1)
    refused = run("runs", "undo", "2")

    assert (refused.exit_code, refused.guards, refused.writes) == (4, ["removals"], [])
    assert "4 of 12 managed additions" in refused.json["guards"][0]["message"]


def test_a_line_that_was_created_otherwise_than_asked_is_undone_too(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    def spoil(vendor: str, sent: str, _path: str, _request: int) -> None:
        if (vendor, sent) == ("connectwise", "POST"):
            alder.line().quantity = Decimal(99)

    run.simulator.after_commit = spoil
    run.simulator.faults.add(
        Fault(
            "body", vendor="connectwise", method="POST", times=1, edit=lambda said: {**said, "quantity": 99}
        )
    )
    assert (run("sync").exit_code, alder.bills) == (6, {ENDPOINT: 99})
    run.simulator.after_commit = None
    assert "connector runs undo 1 --dry-run" in run.text("runs", "show", "1").stdout

    undone = run.text("runs", "undo", "1")

    assert (undone.exit_code, alder.bills) == (0, {ENDPOINT: 0})
    assert "Of 1 changes of run 1: 1 done" in undone.stdout
    assert "NOT_DONE" not in undone.stdout
    assert "taken back already" in run.text("runs", "undo", "1").stdout
    with Ledger(run.state) as ledger:
        assert ledger.newest_applied() is None


def test_a_run_whose_changes_all_failed_is_not_said_to_have_changed_nothing(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 43)
    run.simulator.faults.add(Fault("409", vendor="connectwise", method="PATCH"))
    assert run("sync").exit_code == 6

    said = run.text("runs", "undo", "2").stdout

    assert "made no change that is known to be done" in said
    assert "changed nothing" not in said


# Killed ------------------------------------------------------------------------------------------


def killed_undo(run: Run, process: Processes, number: int, *, committed: bool) -> None:
    """Kill `runs undo 1` at its n-th PATCH, before or after it counts."""
    seen: list[int] = []
    started: list[Any] = []

    def kill(vendor: str, method: str, _path: str, request: int) -> None:
        if vendor == "connectwise" and method == "PATCH":
            seen.append(request)
            if len(seen) == number:
                started[0].send_signal(signal.SIGKILL)
                started[0].wait()

    simulator = run.simulator
    if committed:
        simulator.after_commit = kill
    else:
        simulator.before_request = kill
    started.append(process.start("runs", "undo", "1"))
    started[0].communicate(timeout=60)
    simulator.before_request = simulator.after_commit = None
    assert started[0].returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("then", ["undo", "sync"])
def test_a_killed_undo_is_ended_right_by_whatever_runs_next(
    msp: Msp, run: Run, run_process: Processes, committed: bool, number: int, then: str
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    line = alder.has(ENDPOINT, 12)
    run("sync", "--adopt")
    mark = line.serial_number
    killed_undo(run, run_process, number, committed=committed)

    if then == "undo":
        assert run("runs", "undo", "1").exit_code == 0
        assert (alder.bills, line.serial_number or "") == ({ENDPOINT: 12, EMAIL: 0}, "")
        assert rows(run, "SELECT quantity FROM additions") == [("0",)]
        assert run("runs", "undo", "1").writes == []
        assert run("plan").held == ["NEEDS_ADOPTION"]
    assert run("sync", "--adopt").exit_code == 0
    assert (alder.bills, line.serial_number) == ({ENDPOINT: 14, EMAIL: 3}, mark)
    assert len(alder.lines()) == len(alder.lines(EMAIL)) == 1
    assert run("sync").writes == []
    assert run("state", "check").exit_code == 0


def test_a_night_that_found_nothing_to_do_is_taken_back_with_the_run_before_it(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    msp.world.advance(date(2026, 10, 30))
    alder.uses("CIXA-MSP", 20)
    restated = run("sync", "--restate").json["run"]
    msp.world.advance(date(2026, 10, 31))
    assert run("sync").writes == []
    assert run("runs", "undo", str(restated)).exit_code == 0

    msp.world.advance(date(2026, 11, 1))
    again = run("sync", "2026-10")

    assert (again.unresolved, again.writes, alder.bills) == (["RESTATED"], [], {ENDPOINT: 12})


def test_a_month_whose_only_run_was_taken_back_is_open_whatever_nights_came_between(
    msp: Msp, run: Run
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    first = run("sync").json["run"]
    msp.world.advance(date(2026, 10, 30))
    assert run("sync").writes == []
    run("runs", "undo", str(first))
    alder.uses("CIXA-MSP", 9)
    msp.world.advance(date(2026, 11, 1))

    assert run("sync", "2026-10").exit_code == 0
    assert alder.bills == {ENDPOINT: 9}
