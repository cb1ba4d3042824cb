"""Runs that are killed, interrupted or kept out, and a state that is lost or spoiled (rules 21, 23, 24)."""

import json
import shutil
import signal
import sqlite3
import threading
from datetime import date
from pathlib import Path

import pytest
from months.calling import Processes, Run
from months.msp import ENDPOINT, Msp

from connector.simulator import Fault, Simulator


@pytest.mark.parametrize(("committed", "mark"), [(True, True), (True, False), (False, False)])
def test_a_run_killed_at_a_post_bills_once(
    msp: Msp, run: Run, run_process: Processes, committed: bool, mark: bool
) -> None:
    msp.mappings["defaults"] = {"mark": mark}
    customers = msp.customers(3)
    if not committed:
        run.simulator.faults.add(Fault("cut-before", vendor="connectwise", method="POST", after=1))

    killed = run_process.killed_at("POST", 2, committed=committed)

    assert killed.exit_code == -signal.SIGKILL
    assert sum(len(customer.lines()) for customer in customers) >= committed + 1  # all three leave together
    done = run("sync", CONNECTOR_TIMEOUT="0.5")  # a lost request is waited for no longer than this
    assert done.exit_code == 0
    assert [len(customer.lines()) for customer in customers] == [1, 1, 1]
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 3
    assert run("sync").writes == []


@pytest.mark.parametrize("committed", [True, False])
def test_a_run_killed_at_a_patch_ends_right(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator, committed: bool
) -> None:
    customers = msp.customers(2)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 11)
    if not committed:
        simulator.faults.add(Fault("cut-before", vendor="connectwise", method="PATCH"))

    run_process.killed_at("PATCH", 1, committed=committed)

    assert run("sync").exit_code == 0
    assert [customer.bills for customer in customers] == [{ENDPOINT: 11}] * 2


def test_a_plan_whose_application_was_killed_can_be_applied_to_its_end(
    msp: Msp, run: Run, run_process: Processes
) -> None:
    customers = msp.customers(3)
    digest = run("plan").json["digest"]
    run_process.killed_at("POST", 2, committed=True)

    done = run("apply", digest)

    assert done.exit_code == 0
    assert set(done.outcomes) <= {("create", "done")}
    assert len(done.outcomes) < 3
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 3


def test_only_one_run_holds_a_state_folder(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    reached, go_on = threading.Event(), threading.Event()

    def pause(*_: object) -> None:
        if not reached.is_set():
            reached.set()
            go_on.wait(30)

    simulator.before_request = pause
    first = run_process.start("sync", CONNECTOR_TIMEOUT="60")
    assert reached.wait(30)
    before = len(simulator.requests)

    for command in (["sync"], ["plan"], ["apply", "0123456789ab"]):
        second = run(*command)
        assert second.exit_code == 4
        assert f"{first.pid}" in second.json["error"]["message"]
    assert len(simulator.requests) == before
    assert run("sync", "--state", "another").exit_code == 0

    go_on.set()
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert alder.bills == {ENDPOINT: 12}


def test_ctrl_c_while_reading_writes_nothing_and_says_so_without_a_traceback(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    reached, go_on = threading.Event(), threading.Event()

    def pause(_vendor: str, _method: str, path: str, _number: int) -> None:
        if "/billing/" in path:
            reached.set()
            go_on.wait(30)

    simulator.before_request = pause
    process = run_process.start("sync")
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    simulator.before_request = None
    go_on.set()

    assert process.returncode not in {0, 1}
    assert "Traceback" not in stderr
    assert simulator.writes == ()
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_ctrl_c_waits_for_no_page_that_is_under_way(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    msp.customers(8)
    assert run("sync").exit_code == 0
    reached, go_on = threading.Event(), threading.Event()

    def pause(_vendor: str, _method: str, path: str, _number: int) -> None:
        if path.endswith("/reports/AgreementAdditions"):
            reached.set()
            go_on.wait(60)

    simulator.before_request = pause
    process = run_process.start("sync", CONNECTOR_TIMEOUT="60")
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    simulator.before_request = None
    go_on.set()

    assert process.returncode not in {0, 1}
    assert "Traceback" not in stderr


def test_a_list_that_is_still_being_read_when_its_run_ends_asks_for_no_other_page(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    for number in range(60):
        msp.firewall(f"X{number:05}", "XGS107")
    simulator.faults.add(Fault("403", vendor="sophos", path="/partner/v1/tenants", times=None))
    reached, go_on = threading.Event(), threading.Event()

    def pause(_vendor: str, _method: str, path: str, _number: int) -> None:
        if path.startswith("/licenses/"):
            reached.set()
            go_on.wait(30)
        elif "/tenants" in path:
            reached.wait(30)

    simulator.before_request = pause
    ended = run("sync")
    go_on.set()
    for thread in threading.enumerate():
        if "_work" in thread.name:
            thread.join(20)
    simulator.before_request = None

    assert ended.exit_code == 5
    assert len([it for it in simulator.requests if it.path.startswith("/licenses/")]) == 1


def test_ctrl_c_while_writing_ends_soon_and_the_next_run_ends_right(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    customers = msp.customers(6)
    reached, go_on = threading.Semaphore(0), threading.Event()

    def pause(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            reached.release()
            go_on.wait(30)

    simulator.after_commit = pause
    process = run_process.start("sync", "--json", CONNECTOR_TIMEOUT="1")
    assert [reached.acquire(timeout=30) for _ in range(4)] == [True] * 4
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    simulator.after_commit = None
    go_on.set()

    assert process.returncode == 6
    assert "Traceback" not in stderr
    assert "Interrupted; no other change is begun. 4 changes are under way" in stderr
    outcomes = [it["outcome"] for it in json.loads(stdout)["outcomes"]]
    assert outcomes.count("not_tried") == 2
    assert set(outcomes) <= {"done", "unclear", "not_tried"}  # a look at the end may find a line
    assert sum(len(customer.lines()) for customer in customers) == 4
    assert run("sync").exit_code == 0
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 6


def test_after_ctrl_c_those_under_way_are_waited_for_and_told_as_done(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    customers = msp.customers(6)
    reached, go_on = threading.Semaphore(0), threading.Event()

    def pause(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            reached.release()
            go_on.wait(30)

    simulator.after_commit = pause
    process = run_process.start("sync", "--json", "--verbose", CONNECTOR_TIMEOUT="30")
    assert [reached.acquire(timeout=30) for _ in range(4)] == [True] * 4
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("Interrupted" in line for line in process.stderr)
    go_on.set()
    stdout, _ = process.communicate(timeout=30)

    outcomes = [it["outcome"] for it in json.loads(stdout)["outcomes"]]
    assert (outcomes.count("done"), outcomes.count("not_tried")) == (4, 2)
    assert process.returncode == 6
    simulator.after_commit = None
    again = run("sync")
    assert (again.exit_code, len(again.writes)) == (0, 2)
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 6


def test_a_second_ctrl_c_ends_the_wait_at_once(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator
) -> None:
    customers = msp.customers(2)
    reached, go_on = threading.Semaphore(0), threading.Event()

    def pause(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            reached.release()
            go_on.wait(30)

    simulator.before_request = pause
    process = run_process.start("sync", "--json", "--verbose", CONNECTOR_TIMEOUT="600")
    assert [reached.acquire(timeout=30) for _ in range(2)] == [True] * 2
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("Interrupted" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=8)  # sooner than the 10 seconds that it would wait
    simulator.before_request = None
    go_on.set()

    told = [it["message"] for it in json.loads(stdout)["outcomes"]]
    assert told == ["interrupted; the next run looks again before it writes"] * 2
    assert run("sync").exit_code == 0
    assert [len(customer.lines()) for customer in customers] == [1, 1]


def test_a_lost_state_finds_its_lines_by_their_mark(msp: Msp, run: Run) -> None:
    customers = msp.customers(3)
    run("sync")
    shutil.rmtree(run.state)

    done = run("sync")
    assert (done.exit_code, done.writes) == (0, [])

    msp.next_month()
    customers[0].uses("CIXA-MSP", 0)
    customers[1].uses("CIXA-MSP", 11)
    shutil.rmtree(run.state)
    assert sorted(run("sync").outcomes) == [("update", "done"), ("zero", "done")]
    assert [customer.bills[ENDPOINT] for customer in customers] == [0, 11, 10]


def test_a_lost_state_still_holds_a_tenant_that_vanished(msp: Msp, run: Run) -> None:
    alder, _ = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    msp.next_month()
    alder.stops()
    shutil.rmtree(run.state)

    done = run("sync")
    assert (done.exit_code, done.held) == (3, ["TENANT_VANISHED"])
    assert alder.bills == {ENDPOINT: 12}


def test_a_lost_state_still_holds_the_line_of_an_unassigned_firewall(msp: Msp, run: Run) -> None:
    msp.maps("XGS107-MSP", item="SOPHOS-XGS")
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.firewall("X1A", "XGS107-MSP", tenant=alder.tenant)
    run("sync")
    msp.world.firewalls["X1A"].tenant = None
    shutil.rmtree(run.state)

    assert run("sync").held == ["FIREWALL_UNASSIGNED"]


@pytest.mark.parametrize("off", ["tenant", "product"])
def test_a_lost_state_still_reports_what_is_off_and_bills(msp: Msp, run: Run, off: str) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    (alder.entry if off == "tenant" else msp.mappings["products"]["CIXA-MSP"])["sync"] = False
    shutil.rmtree(run.state)

    done = run("sync")

    assert (done.exit_code, done.writes, done.warnings) == (0, [], ["OFF_STILL_BILLING"])


def test_a_line_recreated_before_the_state_was_lost_is_found(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.line().cancelled = date(2026, 10, 20)
    run("sync", "--recreate")
    shutil.rmtree(run.state)

    done = run("sync")
    assert (done.exit_code, done.writes) == (0, [])


def test_an_unmarked_line_of_a_lost_state_is_not_doubled(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"mark": False}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    shutil.rmtree(run.state)

    assert run("sync").held == ["NEEDS_ADOPTION"]
    assert run("sync", "--adopt").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.parametrize("how", ["file in its place", "garbage", "newer", "folder in its place"])
@pytest.mark.parametrize("command", ["plan", "sync", "doctor"])
def test_a_state_that_cannot_be_used_ends_the_run_before_any_write(
    msp: Msp, run: Run, simulator: Simulator, how: str, command: str
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    spoil(run.state, how)

    ended = run(command)

    assert (ended.exit_code, simulator.writes) == (2, ())
    assert "state" in ended.stdout


def spoil(state: Path, how: str) -> None:
    """Make a state folder unusable."""
    if how == "file in its place":
        state.write_text("not a folder", encoding="utf-8")
        return
    state.mkdir()
    file = state / "connector.db"
    if how == "folder in its place":
        file.mkdir()
    elif how == "garbage":
        file.write_bytes(b"this is no database" * 500)
    else:
        with sqlite3.connect(file) as db:
            db.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
            db.execute("INSERT INTO _sqlite_migrations VALUES ('connector', 'of_a_later_year', '2031-01-01')")
        db.close()
