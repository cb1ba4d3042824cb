"""What `status` says of the job: red only where somebody has to do something, and red until it is done."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date

import pytest
from months.calling import Processes, Result, Run
from months.msp import Customer, Msp
from sqlite_utils import Database

from connector.ledger.schema import migrations
from connector.simulator import Simulator


@pytest.fixture
def alder(msp: Msp) -> Customer:
    return msp.customer("Alder", {"CIXA-MSP": 12})


def verdict(result: Result) -> str:
    return result.stdout.splitlines()[0]


def refused(msp: Msp, run: Run, alder: Customer) -> Result:
    """Bill October, then let a guard refuse November."""
    assert run("nightly").exit_code == 0
    msp.next_month()
    alder.uses("CIXA-MSP", 2)
    msp.mappings["guards"] = {"at_least": 1, "decrease": 0.01}
    night = run("nightly")
    assert night.exit_code == 4
    return night


def test_where_nothing_ever_ran_it_says_so_and_leaves_no_trace(run: Run, alder: Customer) -> None:
    told = run.text("status")
    assert (told.exit_code, verdict(told)) == (3, "PROBLEM: no run is on record")
    assert not run.state.exists()


def test_the_ledger_of_an_earlier_version_stays_as_it_is(run: Run, alder: Customer) -> None:
    run.state.mkdir()
    file = run.state / "connector.db"
    with closing(sqlite3.connect(file)) as connection:
        migrations.apply(Database(connection), stop_before="journal")
    before = file.read_bytes()
    assert verdict(run.text("status")) == "PROBLEM: no run is on record"
    assert file.read_bytes() == before
    assert list(run.state.iterdir()) == [file]


def test_a_month_that_sophos_has_not_published_yet_is_no_problem(msp: Msp, run: Run, alder: Customer) -> None:
    assert run("nightly").exit_code == 0
    msp.next_month()
    msp.world.unpublish("2026-11")
    assert run("nightly").exit_code == 0
    assert verdict(run.text("status")) == "OK: all is well"
    msp.world.advance(date(2026, 12, 5))
    assert run("nightly").exit_code == 8
    assert verdict(run.text("status")) == "PROBLEM: 2026-11 is not billed, and was due from 2026-11-26 on"


@pytest.mark.parametrize("look", [("plan",), ("plan", "2026-10"), ("plan", "2027-05"), ("sync", "--dry-run")])
def test_whoever_only_looks_does_not_hide_a_night_that_was_refused(
    msp: Msp, run: Run, alder: Customer, look: tuple[str, ...]
) -> None:
    refused(msp, run, alder)
    run(*look)
    told = run.text("status")
    assert (told.exit_code, verdict(told)) == (3, "PROBLEM: run 2 (nightly) ended with exit code 4")


def test_a_plan_with_changes_to_make_is_no_problem_of_the_job(msp: Msp, run: Run, alder: Customer) -> None:
    assert run("nightly").exit_code == 0
    msp.maps("NDR-MSP", "SOPHOS-NDR")
    alder.uses("NDR-MSP", 3)
    assert run("plan", "--exit-code").exit_code == 7
    assert run.text("status").exit_code == 0


def test_what_a_person_has_mended_is_gone_as_soon_as_a_plan_shows_it(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("NDR-MSP", 3)
    assert run("nightly").exit_code == 3
    assert run("status").json["unresolved"] == 1
    msp.maps("NDR-MSP", "SOPHOS-NDR")
    run("plan", "--product", "CIXA-MSP")
    assert run("status").json["unresolved"] == 1, "a plan for a part of it knows too little"
    run("plan")
    assert run("status").json["unresolved"] == 0


def test_what_waits_for_an_approval_waits_although_a_person_may_do_it_without(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.mappings["unattended"] = {"create": False}
    assert run("nightly").exit_code == 3
    assert run("status").json["held"] == 1
    assert run("plan").held == []
    assert run("status").json["held"] == 1
    assert run("sync").exit_code == 0
    assert run("status").json["held"] == 0


def test_a_plan_of_an_older_month_says_nothing_of_what_is_left_of_the_newest(
    msp: Msp, run: Run, alder: Customer
) -> None:
    assert run("nightly").exit_code == 0
    msp.next_month()
    alder.uses("NDR-MSP", 3)
    assert run("nightly").exit_code == 3
    run("plan", "2026-10")
    assert run("status").json["unresolved"] == 1


def test_a_run_is_no_problem_while_it_works_and_one_when_it_was_killed(
    msp: Msp, run: Run, run_process: Processes, alder: Customer, simulator: Simulator
) -> None:
    said: list[str] = []

    def look(vendor: str, method: str, *_: object) -> None:
        if (vendor, method) == ("connectwise", "POST") and not said:
            words = [sys.executable, "-m", "connector", "status"]
            done = subprocess.run(words, cwd=run.folder, capture_output=True, text=True, check=False)
            said.append(done.stdout.splitlines()[0])

    simulator.before_request = look
    assert run_process("nightly").exit_code == 0
    simulator.before_request = None
    assert said == ["OK: all is well"]

    msp.next_month()
    alder.uses("CIXA-MSP", 14)
    run_process.killed_at("PATCH", 1, committed=True, command="nightly")
    told = run.text("status")
    assert (told.exit_code, verdict(told)) == (3, "PROBLEM: run 2 (nightly) broke off")


def test_a_map_that_is_at_fault_is_exit_2_as_its_help_says(run: Run) -> None:
    run.mappings_text = "version: 2\n"
    assert run("status").exit_code == 2
    assert "Exit 2 where the map" in " ".join(run.text("status", "--help").stdout.split())
