"""The job that nobody watches: what it does on which night, and what it leaves alone."""

import json
import shlex
import signal
import sqlite3
import threading
from datetime import UTC, date, datetime

import pytest
from months.calling import Processes, Result, Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp
from notify.listening import http

from connector.cli.nightly import night_at
from connector.ledger import Ledger
from connector.model import Addition, Schedule
from connector.simulator import Fault, Simulator
from connector.vendors.connectwise import ConnectWiseClient
from connector.vendors.pace import Pace


@pytest.fixture
def alder(msp: Msp) -> Customer:
    """Alder uses 12 endpoints in October, as it did in September, which is billed."""
    return msp.customer("Alder", {"CIXA-MSP": 12})


def night(msp: Msp, run: Run, day: str, *options: str) -> Result:
    msp.world.advance(date.fromisoformat(day))
    return run("nightly", *options)


def steps(result: Result) -> list[tuple[str, int]]:
    return [(step["period"], step["exit_code"]) for step in result.json["steps"]]


def asked(result: Result, vendor: str) -> list[str]:
    return [it.path.partition("?")[0] for it in result.requests if it.vendor == vendor]


def test_a_month_is_billed_on_the_night_on_which_it_is_published(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.unpublish("2026-10")
    waiting = night(msp, run, "2026-10-26")
    assert (waiting.exit_code, waiting.writes) == (0, [])

    msp.world.publish("2026-10")
    done = night(msp, run, "2026-10-27")
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 12})
    assert done.json["steps"][0]["run"]["outcomes"][0]["outcome"] == "done"


def test_waiting_for_sophos_is_one_line_and_no_alarm(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.unpublish("2026-10")
    msp.world.advance(date(2026, 10, 26))
    waiting = run.text("nightly")
    assert waiting.exit_code == 0
    assert waiting.stdout == "2026-10-26: 2026-10 is not published yet\n"


def test_a_month_that_is_missing_on_the_5th_is_an_alarm(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.unpublish("2026-10")
    assert run("sync", "2026-09").exit_code == 8
    msp.world.use("2026-09", alder.tenant, "CIXA-MSP", 12)
    assert run("sync", "2026-09").exit_code == 0

    assert night(msp, run, "2026-11-04").exit_code == 0
    fifth = night(msp, run, "2026-11-05")
    assert fifth.exit_code == 8
    assert "2026-10" in fifth.json["steps"][0]["error"]["message"]


def test_what_is_billed_is_not_billed_again_and_the_next_night_asks_sophos_alone(
    msp: Msp, run: Run, alder: Customer
) -> None:
    assert night(msp, run, "2026-10-28").exit_code == 0
    again = night(msp, run, "2026-10-28")
    assert (again.exit_code, again.writes) == (0, [])
    quiet = night(msp, run, "2026-10-29")
    assert (quiet.exit_code, asked(quiet, "connectwise")) == (0, [])
    assert quiet.json["steps"] == [
        {
            "period": "2026-10",
            "source": "sophos-api",
            "run": None,
            "restated": [],
            "error": None,
            "note": "as it was billed",
            "exit_code": 0,
        }
    ]
    assert quiet.json["note"] == "nothing is due; 2026-11 is from 2026-11-26 on"


def test_the_pause_that_connectwise_asks_for_holds_for_the_night_s_next_month_too(
    msp: Msp, run: Run, simulator: Simulator, alder: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Pace] = []
    read = ConnectWiseClient.additions

    def additions(client: ConnectWiseClient, agreement_id: int) -> tuple[Addition, ...]:
        kept.append(client.transport.pace)
        return read(client, agreement_id)

    monkeypatch.setattr(ConnectWiseClient, "additions", additions)
    assert night(msp, run, "2026-10-28").exit_code == 0
    for period in ("2026-11", "2026-12"):
        msp.world.use(period, alder.tenant, "CIXA-MSP", 14)
        msp.world.publish(period)
    kept.clear()

    both = night(msp, run, "2026-12-28")

    assert [period for period, _ in steps(both)][:2] == ["2026-11", "2026-12"]
    assert len(kept) == 2
    assert kept[0] is kept[1]


def test_a_quiet_night_is_one_line(msp: Msp, run: Run, alder: Customer) -> None:
    night(msp, run, "2026-10-28")
    msp.world.advance(date(2026, 10, 29))
    assert run.text("nightly").stdout == (
        "2026-10-29: nothing is due; 2026-11 is from 2026-11-26 on; 2026-10 is as it was billed\n"
    )


def test_a_month_that_waits_for_a_person_is_tried_each_night_and_done_when_it_can_be(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("NDR-MSP", 3, description="Network detection")
    assert night(msp, run, "2026-10-28").exit_code == 3
    assert steps(night(msp, run, "2026-10-29")) == [("2026-10", 3)]
    msp.maps("NDR-MSP", "SOPHOS-NDR")
    assert night(msp, run, "2026-11-12").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-NDR": 3}
    assert night(msp, run, "2026-11-13").json["steps"][0]["note"] == "as it was billed"


def test_missed_nights_are_made_up_month_after_month(msp: Msp, run: Run, alder: Customer) -> None:
    assert night(msp, run, "2026-10-28").exit_code == 0
    msp.next_month()
    alder.uses("CIXA-MSP", 15)
    msp.next_month()
    alder.uses("CIXA-MSP", 17)
    made_up = night(msp, run, "2026-12-29")
    assert steps(made_up) == [("2026-11", 0), ("2026-12", 0), ("2026-10", 0)]
    assert [body for _, body in made_up.bodies] == [
        [{"op": "replace", "path": "quantity", "value": 15}],
        [{"op": "replace", "path": "quantity", "value": 17}],
    ]


def test_no_month_goes_before_an_earlier_one_that_failed(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator
) -> None:
    assert night(msp, run, "2026-10-28").exit_code == 0
    msp.next_month()
    msp.world.unpublish("2026-11")
    msp.next_month()
    held_up = night(msp, run, "2026-12-29")
    assert held_up.exit_code == 8
    assert [(step["period"], step["note"]) for step in held_up.json["steps"]][:2] == [
        ("2026-11", None),
        ("2026-12", "it waits until 2026-11 is billed"),
    ]
    assert alder.bills == {ENDPOINT: 12}


def test_a_vendor_that_is_down_ends_the_night_and_the_next_one_does_its_work(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("500", vendor="connectwise", times=50))
    down = night(msp, run, "2026-10-28")
    assert (down.exit_code, down.writes) == (5, [])
    assert down.json["steps"][0]["error"]["code"] == "UNREACHABLE"
    simulator.faults.clear()
    assert night(msp, run, "2026-10-29").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_a_restated_month_is_told_the_night_after_and_carried_by_nobody(
    msp: Msp, run: Run, alder: Customer
) -> None:
    night(msp, run, "2026-10-28")
    alder.uses("CIXA-MSP", 14)
    told = night(msp, run, "2026-10-30")
    assert (told.exit_code, told.writes) == (3, [])
    (found,) = told.json["steps"][0]["restated"]
    assert (found["code"], found["tenant_id"], found["quantity"]) == ("RESTATED", alder.tenant, "2")
    assert "changed since it was billed" in run.text("nightly").stdout


def test_what_is_off_is_not_told_as_restated(msp: Msp, run: Run, alder: Customer) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    birch.entry["sync"] = False
    msp.maps("CPHISH-MSP", sync=False)
    alder.uses("CPHISH-MSP", 1)
    night(msp, run, "2026-10-28")
    alder.uses("CPHISH-MSP", 9)
    birch.uses("CIXA-MSP", 9)
    assert night(msp, run, "2026-10-29").exit_code == 0


def test_a_month_that_sophos_no_longer_shows_is_no_alarm(msp: Msp, run: Run, alder: Customer) -> None:
    night(msp, run, "2026-10-28")
    msp.world.unpublish("2026-10")
    assert night(msp, run, "2026-10-29").exit_code == 0


def test_a_guard_that_refuses_is_told_and_nothing_later_is_billed(msp: Msp, run: Run) -> None:
    many = msp.customers(12)
    assert night(msp, run, "2026-10-28").exit_code == 0
    msp.next_month()
    for customer in many:
        customer.uses("CIXA-MSP", 1)
    refused = night(msp, run, "2026-11-28")
    assert (refused.exit_code, refused.writes) == (4, [])
    assert [guard["name"] for guard in refused.json["steps"][0]["run"]["guards"]] == ["decrease"]


def test_daily_counts_by_night_and_takes_the_invoice_when_it_is_there(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.mappings["schedule"] = {"mode": "daily"}
    msp.world.unpublish("2026-10")
    msp.world.license(alder.tenant, "CIXA-MSP", 10)
    msp.world.use("2026-09", alder.tenant, "CIXA-MSP", 9)
    assert run("sync", "2026-09").exit_code == 0
    counted = night(msp, run, "2026-10-28")
    assert [(step["period"], step["source"]) for step in counted.json["steps"]][:2] == [
        ("2026-10", "sophos-api"),
        ("2026-10", "live"),
    ]
    assert alder.bills == {ENDPOINT: 10}
    msp.world.publish("2026-10")
    invoiced = night(msp, run, "2026-10-29")
    assert [step["source"] for step in invoiced.json["steps"]][:1] == ["sophos-api"]
    assert alder.bills == {ENDPOINT: 12}
    assert night(msp, run, "2026-10-30").writes == []


def test_a_chosen_day_waits_for_its_day(msp: Msp, run: Run, alder: Customer) -> None:
    msp.mappings["schedule"] = {"mode": "monthly", "day": 31}
    msp.world.use("2026-09", alder.tenant, "CIXA-MSP", 9)
    assert night(msp, run, "2026-10-28").json["steps"][0]["period"] == "2026-09"
    assert alder.bills == {ENDPOINT: 9}
    assert night(msp, run, "2026-10-30").writes == []
    assert night(msp, run, "2026-10-31").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_explaining_tells_the_next_forty_nights_and_asks_nobody(msp: Msp, run: Run, alder: Customer) -> None:
    night(msp, run, "2026-10-28")
    told = run("nightly", "--explain")
    assert (told.exit_code, told.requests) == (0, ())
    assert len(told.json["nights"]) == 40
    assert told.json["nights"][0]["day"] == "2026-10-28"
    due = [each["day"] for each in told.json["nights"] if each["due"]]
    assert due == ["2026-11-26"]
    lines = run.text("nightly", "--explain").stdout.splitlines()
    assert lines[0] == "2026-10-28 Wed  nothing to bill; look whether 2026-10 was restated"
    assert len(lines) == 40


def test_nights_are_counted_where_the_schedule_says() -> None:
    moment = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)
    assert night_at(Schedule(timezone="Europe/Dublin"), moment) == date(2026, 10, 25)
    assert night_at(Schedule(timezone="Pacific/Auckland"), moment) == date(2026, 10, 26)


def test_status_is_well_after_a_good_night_and_asks_nobody(msp: Msp, run: Run, alder: Customer) -> None:
    assert run("status").exit_code == 3
    night(msp, run, "2026-10-28")
    well = run("status")
    assert (well.exit_code, well.requests, well.json["problems"]) == (0, (), [])
    assert well.json["last_run"]["kind"] == "nightly"
    assert well.json["next_due"] == "2026-11-26"
    assert run.text("status").stdout.startswith("OK: all is well\n")


def test_status_counts_what_the_last_run_left_to_people(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("NDR-MSP", 3, description="Network detection")
    alder.has(EMAIL, 2)
    alder.uses("CEMA-MSP", 4)
    night(msp, run, "2026-10-28")
    found = run("status", CONNECTOR_CREDENTIALS_EXPIRE="2026-11-01")
    assert found.exit_code == 3
    assert (found.json["held"], found.json["unresolved"]) == (1, 1)
    assert "the Sophos credentials expire on 2026-11-01" in found.json["problems"]


def test_a_month_that_was_taken_back_is_due_again(msp: Msp, run: Run, alder: Customer) -> None:
    first = night(msp, run, "2026-10-28").json["steps"][0]["run"]["run"]
    assert run("runs", "undo", str(first)).exit_code == 0
    again = night(msp, run, "2026-10-29")
    assert (steps(again), alder.bills) == ([("2026-10", 0)], {ENDPOINT: 12})


def test_a_month_whose_lines_were_only_adopted_is_still_to_be_billed(
    msp: Msp, run: Run, alder: Customer
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    alder.has(ENDPOINT, 12)
    assert run("adopt", "2026-10", "--yes").exit_code == 0
    assert birch.bills == {}
    assert night(msp, run, "2026-10-29").exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7})


def test_a_run_for_one_customer_passes_no_month_over(msp: Msp, run: Run, alder: Customer) -> None:
    """The guard refuses the month that was left out, so people hear of it; else nobody would."""
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    night(msp, run, "2026-10-28")
    msp.next_month()
    birch.uses("CIXA-MSP", 8)
    msp.next_month()
    assert run("sync", "2026-12", "--tenant", alder.tenant).exit_code == 0
    refused = night(msp, run, "2026-12-29")
    assert steps(refused)[:2] == [("2026-11", 4), ("2026-12", 0)]
    assert [guard["name"] for guard in refused.json["steps"][0]["run"]["guards"]] == ["period_order"]
    assert run("sync", "2026-11", "--force", "period_order").exit_code == 0
    assert birch.bills == {ENDPOINT: 8}
    assert steps(night(msp, run, "2026-12-30"))[0] == ("2026-12", 0)


def test_live_counts_do_not_lock_out_the_invoice_of_the_last_month(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.mappings["schedule"] = {"mode": "daily"}
    msp.world.license(alder.tenant, "CIXA-MSP", 10)
    msp.world.use("2026-09", alder.tenant, "CIXA-MSP", 9)
    assert run("sync", "2026-09").exit_code == 0
    msp.world.unpublish("2026-10")
    first = night(msp, run, "2026-11-01")
    assert [(step["period"], step["source"], step["note"]) for step in first.json["steps"]][:2] == [
        ("2026-10", "sophos-api", None),
        ("2026-11", "live", "live counts begin the night after 2026-10 is billed"),
    ]
    assert (first.exit_code, alder.bills) == (0, {ENDPOINT: 9})
    assert "; 2026-11: live counts begin the night after 2026-10 is billed" in run.text("nightly").stdout

    msp.world.publish("2026-10")
    assert night(msp, run, "2026-11-02").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}
    assert night(msp, run, "2026-11-03").json["steps"][0]["source"] == "live"
    assert alder.bills == {ENDPOINT: 10}


def test_one_refused_line_holds_no_later_month_back(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator
) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    night(msp, run, "2026-10-28")
    msp.next_month()
    alder.uses("CIXA-MSP", 13)
    birch.uses("CIXA-MSP", 8)
    msp.next_month()
    alder.uses("CIXA-MSP", 30)
    path = f"/{birch.agreement.id}/additions"
    simulator.faults.add(Fault("409", vendor="connectwise", method="PATCH", path=path, times=None))
    made_up = night(msp, run, "2026-12-28")
    assert steps(made_up)[:2] == [("2026-11", 6), ("2026-12", 6)]
    assert (alder.bills, birch.bills) == ({ENDPOINT: 30}, {ENDPOINT: 7})


def test_a_month_that_waits_behind_a_refused_one_is_an_alarm_on_the_5th(
    msp: Msp, run: Run, alder: Customer
) -> None:
    night(msp, run, "2026-10-28")
    msp.mappings["guards"] = {"at_least": 1, "decrease": 0.01}
    msp.next_month()
    alder.uses("CIXA-MSP", 1)
    msp.next_month()
    assert steps(night(msp, run, "2027-01-04"))[:2] == [("2026-11", 4), ("2026-12", 0)]
    fifth = night(msp, run, "2027-01-05")
    assert (fifth.exit_code, steps(fifth)[:2]) == (8, [("2026-11", 4), ("2026-12", 8)])


def test_a_restated_month_that_a_newer_one_has_followed_is_settled_by_people(
    msp: Msp, run: Run, alder: Customer
) -> None:
    night(msp, run, "2026-10-28")
    msp.next_month()
    alder.uses("CIXA-MSP", 20)
    night(msp, run, "2026-11-28")
    msp.world.stop_using("2026-10", alder.tenant)
    msp.world.use("2026-10", alder.tenant, "CIXA-MSP", 15)
    told = night(msp, run, "2026-11-29")
    (found,) = next(step for step in told.json["steps"] if step["period"] == "2026-10")["restated"]
    assert "the lines bill 2026-11 now" in found["next"]
    assert "--restate" not in found["next"]
    command = shlex.split(found["next"].partition("to see it: connector ")[2])
    shown = run(*command)
    assert (shown.exit_code, shown.requests) == (0, ())
    assert '"12"' in shown.stdout
    assert '"15"' in shown.stdout


def test_a_newer_month_is_billed_again_after_a_person_has_forced_an_older_one(
    msp: Msp, run: Run, alder: Customer
) -> None:
    night(msp, run, "2026-10-28")
    msp.next_month()
    alder.uses("CIXA-MSP", 20)
    night(msp, run, "2026-11-28")
    msp.world.stop_using("2026-10", alder.tenant)
    msp.world.use("2026-10", alder.tenant, "CIXA-MSP", 15)
    run("sync", "2026-10", "--restate", "--force", "period_order")
    assert alder.bills == {ENDPOINT: 15}
    again = night(msp, run, "2026-11-30")
    assert (steps(again)[0], alder.bills) == (("2026-11", 0), {ENDPOINT: 20})
    assert night(msp, run, "2026-12-01").writes == []


def test_a_month_that_left_something_to_people_is_still_looked_at_again(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("NDR-MSP", 1, description="Network detection")
    assert night(msp, run, "2026-10-28").exit_code == 3
    msp.next_month()
    assert night(msp, run, "2026-11-28").exit_code == 3
    msp.world.stop_using("2026-10", alder.tenant, "CIXA-MSP")
    msp.world.use("2026-10", alder.tenant, "CIXA-MSP", 99)
    told = night(msp, run, "2026-11-29").json["steps"]
    assert [(step["period"], [each["quantity"] for each in step["restated"]]) for step in told] == [
        ("2026-11", []),
        ("2026-10", ["87"]),
    ]


def test_what_a_restatement_could_not_carry_is_made_up_the_next_night(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator
) -> None:
    night(msp, run, "2026-10-28")
    msp.world.advance(date(2026, 10, 29))
    alder.uses("CIXA-MSP", 15)
    simulator.faults.add(Fault("409", vendor="connectwise", method="PATCH", times=None))
    assert run("sync", "2026-10", "--restate").exit_code == 6
    simulator.faults.clear()
    assert night(msp, run, "2026-10-30").exit_code == 0
    assert alder.bills == {ENDPOINT: 15}


@pytest.mark.parametrize(("hook", "path"), [("before_request", "/2026/10"), ("after_commit", "/additions/")])
def test_ctrl_c_after_a_write_tells_what_was_done_and_goes_on_to_nothing_else(
    msp: Msp,
    run: Run,
    run_process: Processes,
    simulator: Simulator,
    alder: Customer,
    hook: str,
    path: str,
) -> None:
    night(msp, run, "2026-10-28")
    msp.next_month()
    alder.uses("CIXA-MSP", 20)
    reached, go_on = threading.Event(), threading.Event()

    def pause(_vendor: str, method: str, asked: str, _number: int) -> None:
        if path in asked and (method == "PATCH") == (hook == "after_commit"):
            reached.set()
            go_on.wait(30)

    setattr(simulator, hook, pause)
    process = run_process.start("nightly", "--json")
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    setattr(simulator, hook, None)
    go_on.set()

    assert (process.returncode, "Traceback" in stderr) == (6, False)
    report = json.loads(stdout)
    assert [step["period"] for step in report["steps"]] == ["2026-11"]
    assert report["note"] == "interrupted; the rest of it waits for the next night"
    with Ledger(run.state) as ledger:
        assert [row["exit_code"] for row in ledger.query("SELECT exit_code FROM nights ORDER BY day")][
            1:
        ] == [6]
    assert run("nightly").exit_code == 0
    assert alder.bills == {ENDPOINT: 20}


def test_ctrl_c_before_anything_is_written_is_no_night(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator, alder: Customer
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def pause(_vendor: str, _method: str, asked: str, _number: int) -> None:
        if "/billing/" in asked:
            reached.set()
            go_on.wait(30)

    simulator.before_request = pause
    process = run_process.start("nightly")
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    simulator.before_request = None
    go_on.set()
    assert process.returncode == 130
    assert "No addition was written" in stderr


def test_a_setting_that_stops_the_night_before_it_begins_is_told(msp: Msp, run: Run, alder: Customer) -> None:
    with http() as hook:
        address = hook.address("json")
        settings = run.folder / ".env"
        settings.write_text(f"CONNECTOR_NOTIFY={address}\nCONNECTOR_LOG_FORMAT=jsn\n", encoding="utf-8")
        assert run("nightly").exit_code == 2
        assert len(hook.posted) == 1
        assert "CONNECTOR_LOG_FORMAT" in hook.posted[0].json["message"]

        settings.write_text("SOPHOS\n", encoding="utf-8")
        assert run("nightly", "--explain", CONNECTOR_NOTIFY=address).exit_code == 2
        assert len(hook.posted) == 1
        malformed = run("nightly", CONNECTOR_NOTIFY=address)
        assert (malformed.exit_code, len(hook.posted)) == (2, 2)
        assert "is no NAME=value line" in hook.posted[1].json["message"]
        settings.unlink()


def test_a_profile_whose_setting_is_wrong_is_told_by_its_own_address_and_name(
    msp: Msp, run: Run, alder: Customer
) -> None:
    with http() as hook:
        folder = run.folder / "profiles" / "one"
        folder.mkdir(parents=True)
        said = f"CONNECTOR_NOTIFY={hook.address('json')}\nCONNECTOR_LOG_FORMAT=jsn\n"
        (folder / ".env").write_text(said, encoding="utf-8")
        assert run("--profile", "one", "nightly").exit_code == 2
        assert len(hook.posted) == 1
        assert "one" in hook.posted[0].json["title"]
    assert (folder / "state" / "connector.db").is_file()


def test_what_a_night_has_written_is_told_although_the_night_cannot_be_written_down(
    msp: Msp, run: Run, alder: Customer
) -> None:
    assert run("plan").exit_code == 0
    with sqlite3.connect(run.state / "connector.db") as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON nights BEGIN SELECT RAISE(ABORT, 'no space'); END"
        )
    database.close()
    done = night(msp, run, "2026-10-28")
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 12})
    assert done.json["steps"][0]["run"]["outcomes"][0]["outcome"] == "done"
