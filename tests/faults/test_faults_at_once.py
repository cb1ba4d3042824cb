"""Two runs at the same time: kept apart by the state folder, or found out afterwards (rules 14, 23, 24)."""

import itertools
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from months.calling import Processes, Result, Run
from months.msp import ENDPOINT, Msp

from connector.simulator import Simulator


@dataclass
class Pause:
    """Stops the n-th request of a method and path, just before it or once it is processed."""

    simulator: Simulator
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def at(self, method: str, path: str, nth: int = 1, *, processed: bool = False) -> None:
        """Stop there; requests after it pass by."""
        count = itertools.count(1)

        def hook(_vendor: str, sent: str, where: str, _number: int) -> None:
            if sent == method and re.search(path, where) and next(count) == nth:
                self.reached.set()
                self.go_on.wait(60)

        if processed:
            self.simulator.after_commit = hook
        else:
            self.simulator.before_request = hook

    def wait(self) -> None:
        """Wait until the request is there."""
        assert self.reached.wait(30)


@pytest.fixture
def pause(simulator: Simulator) -> Iterator[Pause]:
    """Stops a request; after the test, whatever is stopped goes on."""
    pausing = Pause(simulator)
    yield pausing
    pausing.go_on.set()


def sign_ins(simulator: Simulator) -> int:
    """Return how many runs have asked anything: each begins by signing in."""
    return sum(request.path.endswith("/token") for request in simulator.requests)


POINTS = (
    ("POST", "/additions$"),
    pytest.param("GET", "/tenants$", marks=pytest.mark.crash),
    pytest.param("GET", "/additions$", marks=pytest.mark.crash),
)


@pytest.mark.parametrize(("method", "path"), POINTS)
def test_a_second_sync_on_one_state_folder_is_refused_and_works_again_after_the_first(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator, pause: Pause, method: str, path: str
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    pause.at(method, path)
    first = run_process.start("sync", CONNECTOR_TIMEOUT="60")
    pause.wait()

    second = run_process("sync", "--json")

    assert second.exit_code == 4
    message = second.json["error"]["message"]
    assert f"process {first.pid}" in message
    assert "sync" in message
    assert sign_ins(simulator) == 1, "the first one reads on meanwhile; the second has not even begun"

    pause.go_on.set()
    first.communicate(timeout=60)
    assert first.returncode == 0
    third = run("sync")
    assert (third.exit_code, third.writes) == (0, [])
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.parametrize(("method", "path"), POINTS)
def test_a_plan_during_a_sync_is_refused_and_the_sync_is_unharmed(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator, pause: Pause, method: str, path: str
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    pause.at(method, path)
    sync = run_process.start("sync", "--json", CONNECTOR_TIMEOUT="60")
    pause.wait()

    plan = run("plan")

    assert plan.exit_code == 4
    assert f"{sync.pid}" in plan.json["error"]["message"]
    assert sign_ins(simulator) == 1
    assert (run.state / "connector.lock.json").exists()

    pause.go_on.set()
    stdout, _ = sync.communicate(timeout=60)
    assert (sync.returncode, json.loads(stdout)["outcomes"][0]["outcome"]) == (0, "done")
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.parametrize(
    ("note", "committed"),
    [
        ("as it was left", True),
        ("garbage", False),
        pytest.param("as it was left", False, marks=pytest.mark.crash),
        pytest.param("garbage", True, marks=pytest.mark.crash),
        pytest.param("gone", True, marks=pytest.mark.crash),
        pytest.param("gone", False, marks=pytest.mark.crash),
    ],
)
def test_what_a_killed_run_leaves_of_its_lock_needs_nobody(
    msp: Msp, run: Run, run_process: Processes, committed: bool, note: str
) -> None:
    customers = msp.customers(2)
    killed = run_process.killed_at("POST", 1, committed=committed)
    assert killed.exit_code != 0
    holder = run.state / "connector.lock.json"
    assert (run.state / "connector.lock").exists()
    assert json.loads(holder.read_text(encoding="utf-8"))["command"]
    spoil(holder, note)

    codes = [run("sync", CONNECTOR_TIMEOUT="0.3").exit_code for _ in range(2)]

    assert codes == [0, 0]
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 2
    assert not holder.exists()


def spoil(holder: Path, note: str) -> None:
    """Do to the holder's note what a crash, a disk or a tidy person may do."""
    if note == "garbage":
        holder.write_bytes(b"\x00\xff{")
    elif note == "gone":
        holder.unlink()


def test_the_note_of_a_killed_run_is_not_shown_for_the_one_that_holds_now(
    msp: Msp, run: Run, run_process: Processes, pause: Pause
) -> None:
    msp.customers(2)
    run_process.killed_at("POST", 1, committed=True)
    dead = json.loads((run.state / "connector.lock.json").read_text(encoding="utf-8"))["pid"]
    pause.at("GET", "/tenants")
    holding = run_process.start("sync", CONNECTOR_TIMEOUT="60")
    pause.wait()

    refused = run("sync")

    assert refused.exit_code == 4
    assert f"process {holding.pid}," in refused.json["error"]["message"]
    assert f"process {dead}," not in refused.json["error"]["message"]
    pause.go_on.set()
    holding.communicate(timeout=60)
    assert holding.returncode == 0


# Two state folders -------------------------------------------------------------------------------

BEFORE_THE_PLAN_READS = ("before", "GET", "/additions$", 1)
AFTER_THE_PLAN_HAS_READ = ("after", "GET", "/additions$", 1)
BEFORE_THE_LAST_LOOK = ("before", "GET", "/additions$", 2)
AFTER_THE_LAST_LOOK = ("after", "GET", "/additions$", 2)
BEFORE_THE_POST = ("before", "POST", "/additions$", 1)
AFTER_THE_POST = ("after", "POST", "/additions$", 1)
SECOND_SEES_IT = (BEFORE_THE_PLAN_READS, AFTER_THE_PLAN_HAS_READ, BEFORE_THE_LAST_LOOK, AFTER_THE_POST)
SECOND_CANNOT = (AFTER_THE_LAST_LOOK, BEFORE_THE_POST)

When = tuple[str, str, str, int]


def meet(run: Run, run_process: Processes, pause: Pause, when: When) -> tuple[Result, Result]:
    """Sync, and at a moment of it let another sync with a state of its own run from its start to its end."""
    side, method, path, nth = when
    pause.at(method, path, nth, processed=side == "after")
    process = run_process.start("sync", "--json", CONNECTOR_TIMEOUT="60")
    pause.wait()
    second = run("sync", "--state", "another")
    pause.go_on.set()
    stdout, stderr = process.communicate(timeout=60)
    run.simulator.before_request = run.simulator.after_commit = None
    return run.noted(Result(process.returncode, stdout, stderr)), second


@pytest.mark.parametrize("when", SECOND_SEES_IT)
def test_two_states_at_once_make_one_line_where_one_looks_after_the_other_has_written(
    msp: Msp, run: Run, run_process: Processes, pause: Pause, when: When
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    first, second = meet(run, run_process, pause, when)

    assert second.exit_code == 0
    assert first.exit_code in {0, 6}
    assert first.outcomes in ([], [("create", "done")], [("create", "failed")])
    assert len(alder.lines()) == 1
    for state in ("state", "another"):
        done = run("sync", "--state", state)
        assert (done.exit_code, done.writes) == (0, [])
    alder.uses("CIXA-MSP", 13)
    assert run("sync", "--state", "another").outcomes == [("update", "done")]
    assert run("sync").outcomes == []
    assert alder.bills == {ENDPOINT: 13}


@pytest.mark.parametrize("when", SECOND_CANNOT)
def test_two_states_that_write_at_the_same_moment_are_found_out(
    msp: Msp, run: Run, run_process: Processes, pause: Pause, when: When
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    _, second = meet(run, run_process, pause, when)

    assert second.exit_code == 0
    assert len(alder.lines()) == 2, "if ever there is one only, the better"
    for state in ("state", "another"):
        told = run("sync", "--state", state)
        assert told.exit_code == 3
        assert told.unresolved == ["DUPLICATE_ADDITIONS"]
        assert told.writes == []
        assert all(f"{line.id}" in told.json["unresolved"][0]["message"] for line in alder.lines())

    del msp.world.additions[alder.lines()[0].id]
    for state in ("state", "another"):
        done = run("sync", "--state", state)
        assert (done.exit_code, done.writes) == (0, [])
    assert alder.bills == {ENDPOINT: 12}


@pytest.mark.crash
@pytest.mark.parametrize(
    "when",
    [
        ("before", "GET", "/additions$", 1),
        ("after", "GET", "/additions$", 1),
        ("before", "PATCH", "/additions/", 1),
    ],
)
def test_two_states_that_update_at_once_end_with_the_right_quantity(
    msp: Msp, run: Run, run_process: Processes, pause: Pause, when: When
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    run("sync", "--state", "another")
    alder.uses("CIXA-MSP", 13)

    first, second = meet(run, run_process, pause, when)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert alder.bills == {ENDPOINT: 13}
    for state in ("state", "another"):
        done = run("sync", "--state", state)
        assert (done.exit_code, done.writes) == (0, [])


@pytest.mark.crash
def test_two_states_at_once_adopt_one_line_once(
    msp: Msp, run: Run, run_process: Processes, pause: Pause
) -> None:
    msp.mappings["defaults"] = {"adopt": "auto"}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    theirs = alder.has(ENDPOINT, 3)

    first, second = meet(run, run_process, pause, ("before", "PATCH", "/additions/", 1))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [line.id for line in alder.lines()] == [theirs.id]
    assert alder.bills == {ENDPOINT: 12}
    for state in ("state", "another"):
        done = run("sync", "--state", state)
        assert (done.exit_code, done.writes) == (0, [])
