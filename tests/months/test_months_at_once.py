"""Agreements that are written to at the same time, and one agreement that never is (rules 20 to 22)."""

import random
import re
import signal
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
from months.calling import Processes, Run
from months.msp import EMAIL, ENDPOINT, Msp

from connector.errors import Unreachable
from connector.runs.width import Width
from connector.simulator import Fault, Simulator
from connector.vendors.hands import Hands, answers, in_order


@dataclass
class Traffic:
    """Counts which agreements have a request under way, and how many have."""

    simulator: Simulator
    together: int = 1
    """So many writes wait for each other."""
    at_once: int = 0
    most: int = 0
    twice: list[str] = field(default_factory=list)
    under_way: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    chance: random.Random = field(default_factory=lambda: random.Random(8))

    def __post_init__(self) -> None:
        self.meeting = threading.Barrier(self.together)
        self.simulator.before_request = self.comes
        self.simulator.after_commit = self.goes

    def comes(self, _vendor: str, method: str, path: str, _number: int) -> None:
        found = re.search(r"/agreements/(\d+)/additions", path)
        if found is None or (self.together > 1 and method != "POST"):
            return
        with self.lock:
            self.under_way[found[1]] += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            if self.under_way[found[1]] > 1:
                self.twice.append(path)
            wait = self.chance.random() / 50
        if self.together > 1:
            self.meeting.wait(20)
        else:
            threading.Event().wait(wait)  # another one overtakes it

    def goes(self, _vendor: str, method: str, path: str, _number: int) -> None:
        found = re.search(r"/agreements/(\d+)/additions", path)
        if found is None or (self.together > 1 and method != "POST"):
            return
        with self.lock:
            self.under_way[found[1]] -= 1
            self.at_once -= 1


def test_four_agreements_are_written_to_at_a_time_and_not_more(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(8)
    traffic = Traffic(simulator, together=4)

    assert run("sync").exit_code == 0

    assert traffic.most == 4
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 8


def test_one_agreement_has_one_request_at_a_time_and_its_changes_leave_in_the_plan_s_order(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    for number in range(5):
        msp.maps(f"MORE{number}-MSP", item=f"SOPHOS-MORE{number}")
    codes = ["CIXA-MSP", "CEMA-MSP", *(f"MORE{number}-MSP" for number in range(5))]
    customers = [msp.customer(f"Customer{n:02}", dict.fromkeys(codes, n + 1)) for n in range(12)]
    traffic = Traffic(simulator)

    planned = run("plan").json["changes"]
    traffic.at_once = traffic.most = 0
    done = run("sync")

    assert done.exit_code == 0
    assert not traffic.twice
    assert traffic.most > 1
    wanted, sent = defaultdict(list), defaultdict(list)
    for change in planned:
        wanted[change["agreement_id"]].append(change["item_id"])
    for write in done.writes:
        sent[int(write.path.split("/")[-2])].append(write.body["product"]["id"])
    assert sent == wanted
    assert [it["item_id"] for it in done.json["outcomes"]] == [it["item_id"] for it in planned]
    assert [len(customer.bills) for customer in customers] == [len(codes)] * 12


def test_agreements_that_are_refused_and_cut_off_together_are_billed_once_each(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    customers = [msp.customer(f"Customer{n:02}", {"CIXA-MSP": 3, "CEMA-MSP": 4}) for n in range(8)]
    simulator.faults.add(
        Fault("429", vendor="connectwise", method="POST", after=2, times=2, retry_after=0),
        Fault("cut-after", vendor="connectwise", method="POST", after=4, times=2),
        Fault("error-after", vendor="connectwise", method="POST", after=8, times=1),
    )

    assert run("sync").exit_code == 0
    assert [customer.bills for customer in customers] == [{ENDPOINT: 3, EMAIL: 4}] * 8
    assert {len(customer.lines(item)) for customer in customers for item in (ENDPOINT, EMAIL)} == {1}


@pytest.mark.parametrize(("committed", "mark"), [(True, True), (False, True), (True, False), (False, False)])
def test_a_run_killed_with_four_lines_under_way_is_finished_with_one_each(
    msp: Msp, run: Run, run_process: Processes, simulator: Simulator, committed: bool, mark: bool
) -> None:
    msp.mappings["defaults"] = {"mark": mark}
    customers = msp.customers(6)
    reached, go_on = threading.Semaphore(0), threading.Event()

    def pause(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            reached.release()
            go_on.wait(30)

    simulator.after_commit, simulator.before_request = (pause, None) if committed else (None, pause)
    killed = run_process.start("sync")
    assert [reached.acquire(timeout=30) for _ in range(4)] == [True] * 4
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    looked: list[str] = []

    def comes_late(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "GET" and path.endswith("/additions"):
            looked.append(path)
            if len(looked) >= len(customers):  # all have been read, and none of the four was there
                go_on.set()

    simulator.before_request = simulator.after_commit = None
    simulator.after_commit = comes_late
    done = run("sync")
    simulator.after_commit = None
    go_on.set()

    assert done.exit_code == 0
    assert len(done.writes) == 2
    assert [len(customer.lines()) for customer in customers] == [1] * 6
    assert [customer.bills for customer in customers] == [{ENDPOINT: 10}] * 6
    assert run("sync").writes == []


def test_a_run_that_is_throttled_for_ever_ends(
    msp: Msp, run: Run, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    msp.customers(20)
    simulator.faults.add(Fault("429", vendor="connectwise", method="POST", times=None, retry_after=60))

    done = run("sync")

    assert done.exit_code == 6
    assert {outcome for _, outcome in done.outcomes} == {"failed", "not_tried"}
    assert done.outcomes[-1] == ("create", "not_tried")
    simulator.faults.clear()
    assert run("sync").exit_code == 0


def test_a_bar_s_figures_never_go_back_although_changes_end_in_another_order(
    msp: Msp, run: Run, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, int | None]] = []
    monkeypatch.setattr(
        "connector.cli.terminal.Terminal.progress", lambda _, done, total: heard.append((done, total))
    )
    msp.customers(9)
    Traffic(simulator)

    run("sync")

    writing = heard[len(heard) - 1 - heard[::-1].index((0, 9)) :] if (0, 9) in heard else []
    assert [done for done, _ in writing] == sorted(done for done, _ in writing)
    assert writing[-1] == (9, 9)


# How many at a time ------------------------------------------------------------------------------


def test_it_begins_with_four_and_grows_to_eight_in_peace() -> None:
    width = Width()
    seen = []
    for _ in range(500):
        seen.append(width.at_a_time)
        width.answered(0)

    assert (seen[0], seen[49], seen[50], seen[-1]) == (4, 4, 5, 8)


def test_a_pause_halves_it_and_it_grows_again_one_by_one() -> None:
    width = Width()
    for pauses in (1, 2, 3, 3):
        width.answered(pauses)
    assert width.at_a_time == 1

    for _ in range(50):
        width.answered(3)
    assert width.at_a_time == 2


def test_pauses_before_the_first_write_do_not_count() -> None:
    width = Width(7)
    width.answered(7)

    assert width.at_a_time == 4


# Hands -------------------------------------------------------------------------------------------


def test_what_one_reading_meets_ends_them_all_once_the_others_are_back() -> None:
    ended: list[int] = []

    def read(number: int) -> int:
        if number == 1:
            raise Unreachable("gone", vendor="ConnectWise")
        ended.append(number)
        return number

    with pytest.raises(Unreachable, match="gone"):
        list(answers(2, {number: lambda number=number: read(number) for number in range(50)}))  # type: ignore[misc]
    assert len(ended) < 50


def test_a_hand_that_nobody_waits_for_is_let_go() -> None:
    go_on = threading.Event()
    with Hands[str, bool]() as hands:
        hands.start("slow", lambda: go_on.wait(20))
        assert hands.answer(0.01) is None
        assert hands.busy == 1
    go_on.set()
    answer = hands.answer(20)
    assert answer is not None
    assert (answer.name, answer.value, hands.busy) == ("slow", True, 0)


def test_lines_that_people_make_meanwhile_keep_nobody_else_from_being_billed(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(8)
    overtaken = {customer.agreement.id: customer for customer in customers[:6]}

    def somebody_is_quicker(_vendor: str, method: str, path: str, _number: int) -> None:
        found = re.search(r"/agreements/(\d+)/additions$", path)
        customer = overtaken.pop(int(found[1]), None) if method == "GET" and found else None
        if customer is not None:
            customer.has(ENDPOINT, 3)

    simulator.after_commit = somebody_is_quicker

    done = run("sync")

    assert done.exit_code == 6
    assert [customer.bills for customer in customers] == [{ENDPOINT: 3}] * 6 + [{ENDPOINT: 10}] * 2


def test_what_is_read_at_the_same_time_is_handed_on_in_order_and_a_failure_in_its_turn() -> None:
    third = threading.Event()

    def read(number: int) -> int:
        if number == 0:
            assert third.wait(20)
        if number == 2:
            third.set()
        if number == 3:
            raise Unreachable("gone", vendor="ConnectWise")
        return number

    pages = in_order(3, (lambda number=number: read(number) for number in range(50)))  # type: ignore[misc]
    came = [next(pages) for _ in range(3)]
    with pytest.raises(Unreachable, match="gone"):
        next(pages)
    assert came == [0, 1, 2]


def test_pages_that_nobody_asks_for_any_more_are_not_begun() -> None:
    begun: list[int] = []

    def read(number: int) -> int:
        begun.append(number)
        return number

    pages = in_order(2, (lambda number=number: read(number) for number in range(50)))  # type: ignore[misc]
    assert (next(pages), next(pages)) == (0, 1)
    del pages
    assert max(begun) < 10
    assert list(in_order(2, ())) == []
