"""What was is told as it was: runs taken back, months gone by, ended lines, a state folder that was lost."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from months.calling import Processes, Result, Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import World

XGS = "XGS-MSP"


def lines_of(result: Result) -> dict[int, dict[str, Any]]:
    """Return the lines of an answer by addition."""
    assert result.exit_code == 0, result.stdout
    return {line["addition_id"]: line for line in result.json["lines"]}


def line_of(result: Result, item: str = ENDPOINT) -> dict[str, Any]:
    """Return the one line of an item."""
    (found,) = [line for line in lines_of(result).values() if line["item"] == item]
    return found


def chart_of(run: Run, *asked: str) -> list[tuple[str, str]]:
    """Return month and quantity of each bar."""
    told = run.text("explain", *asked).stdout.split("By month:\n")[1].split("\n\n")[0]
    bars = [each.split() for each in told.split("\n") if each.startswith("    ")]
    return [(each[0], each[-1]) for each in bars]


def undo(run: Run, number: int) -> None:
    """Take a run back."""
    undone = run("runs", "undo", str(number))
    assert undone.outcomes, undone.stdout


class TestARunTakenBack:
    """An undo writes what was there before; usage has nothing to do with it."""

    def test_the_answer_says_which_run_took_which_back_and_not_what_usage_is(
        self, run: Run, msp: Msp
    ) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        msp.next_month()
        alder.uses("CIXA-MSP", 20)
        run("sync")
        undo(run, 2)

        line = line_of(run("explain", alder.tenant))

        assert line["quantity"] == "12"
        assert "is billed 12 SOPHOS-ENDPOINT" in line["answer"]
        assert "run 3 took run 2 back on " in line["answer"]
        assert line["answer"].endswith("(20 -> 12).")
        assert "20 CIXA-MSP" not in line["answer"]
        assert (line["made_by"]["run"], line["made_by"]["undoes"]) == (3, 2)
        assert (line["usage"], line["billed"]) == ("20", False)
        run("sync")
        again = line_of(run("explain", alder.tenant))
        assert "20 CIXA-MSP in 2026-11; run 4 made it so" in again["answer"]

    def test_no_rule_and_no_line_of_the_map_is_said_to_have_taken_a_run_back(
        self, run: Run, msp: Msp
    ) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        undo(run, 1)

        line = line_of(run("explain", alder.tenant))
        told = run.text("explain", alder.tenant).stdout

        assert (line["made_by"]["kind"], line["mapping"]) == ("zero", [])
        assert "absent" not in told
        assert "undo 12 -> 0, done: created by run 1; stays ours at 0" in told
        assert "(run 1 was taken back)" in told

    def test_it_belongs_to_the_month_in_which_it_was_taken_back(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        msp.next_month()
        run("sync")
        undo(run, 1)

        line = line_of(run("explain", alder.tenant))
        october = line_of(run("explain", alder.tenant, "--period", "2026-10"))

        assert chart_of(run, alder.tenant) == [("2026-10", "12"), ("2026-11", "0"), ("now", "0")]
        assert [(it["run"], it["period"], it["month"]) for it in line["history"]] == [
            (1, "2026-10", "2026-10"),
            (2, "2026-11", "2026-11"),
            (3, "2026-10", "2026-11"),
        ]
        assert (october["quantity"], october["made_by"]["run"]) == ("12", 1)

    def test_a_run_that_finds_it_right_afterwards_is_told_beside_it(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        msp.next_month()
        alder.uses("CIXA-MSP", 20)
        run("sync")
        undo(run, 2)
        alder.uses("CIXA-MSP", 12)
        run("sync", "--restate")

        line = line_of(run("explain", alder.tenant))

        assert [(it["run"], it["kind"]) for it in line["history"]][-1] == (4, "carried")
        assert "12 CIXA-MSP in 2026-11; run 3 took run 2 back" in line["answer"]
        assert line["billed"]

    def test_usage_of_an_older_month_whose_run_was_taken_back_is_told_so(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        undo(run, 1)
        msp.next_month()
        run("plan")

        result = run("explain", alder.tenant, "--period", "2026-10")

        (entry,) = result.json["unbilled"]
        assert entry["message"] == "run 2 took back what run 1 had written for it"
        assert entry["next"] == "connector plan 2026-10"
        assert "was billed 0 SOPHOS-ENDPOINT (addition 9001) in 2026-10" in line_of(result)["answer"]


class TestAMonthThatHasGone:
    """`--period` tells what was billed then and who made it so."""

    def test_an_older_month_is_told_with_its_own_quantity_and_run(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        msp.next_month()
        alder.uses("CIXA-MSP", 20)
        run("sync")
        alder.line().quantity = Decimal(33)

        then = line_of(run("explain", alder.tenant, "--period", "2026-10"))
        now = line_of(run("explain", alder.tenant, "--period", "2026-11"))
        told = run.text("explain", alder.tenant, "--period", "2026-10").stdout

        assert then["answer"].startswith(
            "Alder was billed 12 SOPHOS-ENDPOINT (addition 9001) in 2026-10: 12 CIXA-MSP; run 1 made it so"
        )
        assert (then["quantity"], then["month"], then["connectwise"]["quantity"]) == ("12", "2026-10", "33")
        assert "In ConnectWise now: 33" in told
        assert "Made by run 1" in told
        assert "Alder is billed 33" in now["answer"]
        assert "somebody changed it" in now["answer"]

    def test_a_firewall_that_moved_twice_is_told_where_it_was_billed_then(self, run: Run, msp: Msp) -> None:
        alder, birch = msp.customer("Alder", {"CIXA-MSP": 1}), msp.customer("Birch", {"CIXA-MSP": 1})
        msp.maps(XGS, item="FIREWALL")
        msp.firewall("X1A", XGS, tenant=alder.tenant)
        run("sync")
        msp.mappings["firewalls"] = {"X1A": birch.tenant}
        run("sync")
        msp.next_month()
        msp.mappings["firewalls"] = {}
        run("sync")

        found = lines_of(run("explain", "--serial", "X1A", "--period", "2026-10")).values()

        told = {line["company"]: (line["quantity"], line["made_by"]["run"]) for line in found}
        assert told == {"Birch": ("1", 2), "Alder": ("0", 2)}
        (his,) = [line["answer"] for line in found if line["company"] == "Birch"]
        assert "Birch was billed 1 FIREWALL" in his
        assert "1 XGS-MSP; run 2 made it so" in his

    def test_a_line_that_was_not_there_yet_was_not_billed_then(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        msp.next_month()
        alder.uses("CEMA-MSP", 3)
        run("sync")

        line = line_of(run("explain", alder.tenant, "--period", "2026-10"), EMAIL)

        assert line["quantity"] is None
        assert "was not billed SOPHOS-EMAIL (addition 9002) in 2026-10: run 2 made it" in line["answer"]

    def test_a_line_that_had_ended_before_was_not_billed_then(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        alder.line().cancelled = date(2026, 10, 31)
        msp.next_month()
        run("sync")
        msp.next_month()
        run("sync")

        line = line_of(run("explain", alder.tenant, "--period", "2026-11"))

        assert "was not billed SOPHOS-ENDPOINT (addition 9001) in 2026-11" in line["answer"]
        assert "the line had ended on 2026-10-31" in line["answer"]

    def test_usage_of_a_month_that_no_run_billed_is_told_so(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("plan")
        msp.next_month()
        run("sync")

        (entry,) = run("explain", alder.tenant, "--period", "2026-10").json["unbilled"]

        assert entry["message"] == "no run of this state folder has billed this month"
        assert entry["next"] == "connector plan 2026-10"


class TestAnEndedLine:
    """A line bills until its end date, and not a day longer."""

    def test_made_again_it_is_not_said_to_have_been_changed(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        ended = alder.line()
        ended.cancelled = date(2026, 10, 20)
        run("sync", "--recreate")

        line = lines_of(run("explain", alder.tenant))[ended.id]

        assert (line["ended"], line["written"]) == (True, "12")
        assert "somebody changed it" not in line["answer"]
        assert not [note for note in line["notes"] if "changed it" in note]
        assert "was billed 12 SOPHOS-ENDPOINT (addition 9001) until 2026-10-20" in line["answer"]
        assert ("now", "0") in chart_of(run, "--addition", str(ended.id))

    def test_made_again_by_a_version_that_kept_nothing_of_it_it_is_not_called_changed_either(
        self, run: Run, msp: Msp
    ) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        ended = alder.line()
        ended.cancelled = date(2026, 10, 20)
        run("sync", "--recreate")
        with closing(sqlite3.connect(run.state / "connector.db")) as db, db:
            db.execute("UPDATE additions SET quantity = '0', parts = '[]', run = 2 WHERE closed")

        line = lines_of(run("explain", alder.tenant))[ended.id]

        assert "changed it" not in line["answer"]
        assert not [note for note in line["notes"] if "changed it" in note]
        assert "12 CIXA-MSP in 2026-10; run 1 made it so" in line["answer"]

    def test_an_end_date_to_come_is_no_end_yet(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        alder.line().cancelled = date(2026, 12, 31)

        result = run("explain", alder.tenant)

        assert result.json["unbilled"] == []
        assert "is billed 12 SOPHOS-ENDPOINT (addition 9001), until 2026-12-31" in line_of(result)["answer"]
        assert ("now", "12") in chart_of(run, alder.tenant)

    def test_one_that_ended_before_it_began_was_never_billed(self, run: Run, msp: Msp) -> None:
        msp.mappings["defaults"] = {"absent": "end"}
        alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 1})
        run("sync")
        msp.item("OTHER")
        msp.maps("CIXA-MSP", item="OTHER")
        run("sync")

        line = line_of(run("explain", alder.tenant))

        assert "Alder is never billed SOPHOS-ENDPOINT" in line["answer"]
        assert "begins on 2026-10-01 and ends on 2026-09-30" in line["answer"]

    def test_one_that_is_gone_charts_nothing_now(self, run: Run, msp: Msp, world: World) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        del world.additions[alder.line().id]

        assert chart_of(run, alder.tenant) == [("2026-10", "12"), ("now", "0")]


class TestALineKnownByItsMark:
    """A state folder can be lost; the mark in ConnectWise stays."""

    @pytest.fixture
    def alder(self, run: Run, msp: Msp) -> Customer:
        """A customer billed by runs of a state folder that is gone."""
        customer = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        shutil.rmtree(run.state)
        return customer

    def test_the_tenant_is_told_of_it_before_any_run_has_seen_it(self, run: Run, alder: Customer) -> None:
        alder.uses("CIXA-MSP", 14)
        run("plan")

        result = run("explain", alder.tenant)

        line = line_of(result)
        assert (line["ours"], line["written"], line["connectwise"]["quantity"]) == (True, None, "12")
        assert "it carries our mark, but no run of this state folder has written it" in line["answer"]
        assert (line["now"]["change"]["before"], line["now"]["change"]["after"]) == ("12", "14")
        assert result.json["unbilled"] == []

    def test_every_month_that_a_run_found_it_right_in_is_in_its_history(
        self, run: Run, msp: Msp, alder: Customer
    ) -> None:
        run("sync")
        msp.next_month()
        run("sync")
        msp.next_month()
        alder.uses("CIXA-MSP", 15)
        run("sync")

        line = line_of(run("explain", alder.tenant))
        october = run("explain", alder.tenant, "--period", "2026-10")

        assert [(it["period"], it["run"], it["kind"], it["after"]) for it in line["history"]] == [
            ("2026-10", 1, "carried", "12"),
            ("2026-11", 2, "carried", "12"),
            ("2026-12", 3, "update", "15"),
        ]
        assert line["notes"] == ["Run 1 knew it by its mark; what was before is not in this state folder."]
        assert october.json["unbilled"] == []
        then = line_of(october)
        assert (then["quantity"], then["usage"], then["billed"], then["adds_up"]) == ("12", "12", True, True)
        assert "was billed 12 SOPHOS-ENDPOINT (addition 9001) in 2026-10: 12 CIXA-MSP" in then["answer"]
        assert "it is known by its mark" in then["answer"]

    def test_a_month_in_which_nobody_looked_at_it_is_not_made_up(
        self, run: Run, msp: Msp, alder: Customer
    ) -> None:
        birch = msp.customer("Birch", {"CIXA-MSP": 3})
        run("sync", "--tenant", birch.tenant)
        msp.next_month()
        run("sync")

        line = line_of(run("explain", alder.tenant))
        october = line_of(run("explain", alder.tenant, "--period", "2026-10"))

        assert [it["run"] for it in line["history"]] == [2]
        assert october["quantity"] is None
        assert "is not on record in this state folder" in october["answer"]

    def test_a_line_whose_run_was_killed_before_the_answer_came_is_told_to_its_tenant(
        self, run: Run, msp: Msp, run_process: Processes
    ) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run_process.killed_at("POST", 1, committed=True)

        result = run("explain", alder.tenant)

        line = line_of(result)
        assert line["ours"]
        assert line["notes"][-1] == "Run 1 asked for it, or for one like it, and never saw the answer."
        assert result.json["unbilled"] == []


class TestWhatIsOffAndBilledStill:
    """Turning a product off leaves the line that bills it; that is said, in one breath."""

    def test_usage_that_is_off_names_the_line_that_bills_it_still(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        msp.maps("CIXA-MSP", item=ENDPOINT, sync=False)
        run("sync")

        (entry,) = run("explain", alder.tenant).json["unbilled"]
        told = run.text("explain", alder.tenant).stdout

        assert (entry["code"], entry["still_billed_by"]) == ("OFF", alder.line().id)
        assert entry["message"].endswith("billed by addition 9001, which no run touches any more")
        assert "Not billed" not in told
        assert "Billed by addition 9001, which no run touches any more: 12 CIXA-MSP (OFF)" in told
        alder.line().quantity = Decimal(0)
        (nothing,) = run("explain", alder.tenant).json["unbilled"]
        assert nothing["still_billed_by"] is None

    def test_an_older_month_in_which_it_was_off_says_so_too(self, run: Run, msp: Msp) -> None:
        alder = msp.customer("Alder", {"CIXA-MSP": 12})
        run("sync")
        alder.entry["sync"] = False
        msp.next_month()
        run("sync")
        msp.next_month()
        run("sync")

        (entry,) = run("explain", alder.tenant, "--period", "2026-11").json["unbilled"]

        assert (entry["code"], entry["still_billed_by"]) == ("OFF", alder.line().id)

    def test_what_is_off_on_a_line_that_others_feed_is_not_billed(self, run: Run, msp: Msp) -> None:
        alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
        birch.entry.update(company="Alder", agreement=alder.agreement.id)
        run("sync")
        birch.entry["sync"] = False

        (entry,) = run("explain", birch.tenant).json["unbilled"]

        assert (entry["code"], entry["still_billed_by"]) == ("OFF", None)


def test_the_beginning_of_an_id_as_labels_print_it_finds_the_only_tenant(run: Run, msp: Msp) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.customer("Birch", {"CIXA-MSP": 3})
    run("sync")

    short = run("explain", alder.tenant[:8].upper())

    assert short.json["subject"] == f"Alder Ltd ({alder.tenant[:8]})"
    assert run("explain", alder.tenant[:3]).exit_code == 2, "three letters are not meant as an id"


def test_the_beginning_of_several_ids_is_a_fault_that_names_them(run: Run, msp: Msp, world: World) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    twin = f"{alder.tenant[:-1]}{'1' if alder.tenant[-1] == '0' else '0'}"
    msp.mappings["tenants"][twin] = {"name": "Twin"}
    run("sync")

    result = run("explain", alder.tenant[:8])

    assert result.exit_code == 2
    said = json.dumps(result.json["error"])
    assert f"2 tenants have an id that begins with '{alder.tenant[:8]}'" in said
    assert alder.tenant in said
    assert twin in said
