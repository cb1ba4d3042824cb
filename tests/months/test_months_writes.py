"""Writes that fail, hang or lie: never a second line, and the next run ends right (rules 20 to 22)."""

import threading
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from months.calling import Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.simulator import Fault, Simulator
from connector.simulator.faults import Kind

LOST: tuple[Kind, ...] = (
    "500", "500-timeout", "502-html", "503", "403", "409", "redirect", "html-200", "401-expired-token",
    "timeout-before", "timeout-after", "cut-before", "cut-after", "error-after", "truncated-json", "cut-body",
    "slow-body", "wrong-shape",
)  # fmt: skip

COMMITTED: tuple[Kind, ...] = ("timeout-after", "cut-after", "error-after", "truncated-json", "cut-body")


def lost(kind: Kind, method: str, times: int | None = 1, *, of: Customer | None = None) -> Fault:
    """Return a write's fault, short enough for a client that waits 0.3 s; of one customer or of any."""
    path = None if of is None else f"/agreements/{of.agreement.id}/additions"
    return Fault(kind, vendor="connectwise", method=method, path=path, times=times, delay=0.6)


@pytest.mark.parametrize(
    ("kind", "mark"), [*((kind, True) for kind in LOST), *((kind, False) for kind in COMMITTED)]
)
def test_a_line_whose_making_went_wrong_is_never_made_twice(
    msp: Msp, run: Run, simulator: Simulator, kind: Kind, mark: bool
) -> None:
    msp.mappings["defaults"] = {"mark": mark}
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    simulator.faults.add(lost(kind, "POST", of=alder))

    first = run("sync")

    posts = [write for write in first.writes if write.path.endswith(f"{alder.agreement.id}/additions")]
    assert len(posts) == 1
    assert first.exit_code in {0, 6}
    assert set(alder.bills.values()) <= {12}
    if first.exit_code == 0:
        assert alder.bills == {ENDPOINT: 12}
    if kind != "401-expired-token":
        assert birch.bills == {ENDPOINT: 7}

    assert run("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7})
    assert (run("sync").exit_code, run("sync").writes) == (0, [])


@pytest.mark.parametrize(
    "kind", ["500", "502-html", "timeout-before", "cut-before", "timeout-after", "cut-after"]
)
def test_after_an_unclear_post_the_additions_are_read_before_anything_else_is_sent(
    msp: Msp, run: Run, simulator: Simulator, kind: Kind
) -> None:
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    msp.customer("Birch", {"CIXA-MSP": 7})
    simulator.faults.add(lost(kind, "POST", of=alder))

    sent = [it for it in run("sync").requests if f"/agreements/{alder.agreement.id}/" in it.path]

    after = next(number for number, request in enumerate(sent) if request.method == "POST") + 1
    assert sent[after].method == "GET"
    assert sent[after].path.endswith(f"/finance/agreements/{alder.agreement.id}/additions")


@pytest.mark.parametrize("mark", [True, False])
def test_a_post_that_arrives_after_everybody_gave_up_is_ours(
    msp: Msp, run: Run, simulator: Simulator, mark: bool
) -> None:
    msp.mappings["defaults"] = {"mark": mark}
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run_over, arrived = threading.Event(), threading.Event()

    def late(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            run_over.wait(10)

    def note(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            arrived.set()

    simulator.before_request, simulator.after_commit = late, note
    assert run("sync", CONNECTOR_TIMEOUT="1").exit_code == 6
    assert alder.bills == {}
    run_over.set()
    assert arrived.wait(10)

    again = run("sync")

    assert (again.exit_code, again.writes) == (0, [])
    assert alder.bills == {ENDPOINT: 12}
    alder.uses("CIXA-MSP", 13)
    assert run("sync").outcomes == [("update", "done")]


def test_a_line_that_a_person_makes_meanwhile_is_not_doubled(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    made: list[object] = []

    def hurry(_vendor: str, method: str, _path: str, _number: int) -> None:
        if method == "POST" and not made and "additions" in _path:
            made.append(alder.has(EMAIL, 4))
            made.append(alder.has(ENDPOINT, 4))

    simulator.faults.add(Fault("500", vendor="connectwise", method="POST"))
    simulator.before_request = hurry
    done = run("sync")

    assert done.exit_code == 6
    assert len(done.writes) == 1
    assert alder.bills == {ENDPOINT: 4, EMAIL: 4}


@pytest.mark.parametrize(
    ("kind", "times"), [*((kind, 1) for kind in LOST), *((kind, None) for kind in COMMITTED)]
)
def test_a_change_that_went_wrong_ends_right(
    msp: Msp, run: Run, simulator: Simulator, kind: Kind, times: int | None
) -> None:
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    alder.uses("CIXA-MSP", 13)
    birch.uses("CIXA-MSP", 8)
    simulator.faults.add(lost(kind, "PATCH", times))

    first = run("sync")

    assert first.exit_code in {0, 6}
    if first.exit_code == 0:
        assert (alder.bills, birch.bills) == ({ENDPOINT: 13}, {ENDPOINT: 8})
    simulator.faults.clear()
    assert run("sync").exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 13}, {ENDPOINT: 8})
    assert run("sync").writes == []


def test_an_answer_that_does_not_show_the_change_is_no_success(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    alder.uses("CIXA-MSP", 13)
    simulator.faults.add(Fault("false-200", method="PATCH", times=None))

    done = run("sync")
    assert (done.exit_code, done.outcomes) == (6, [("update", "failed")])
    assert done.json["outcomes"][0]["message"]

    simulator.faults.clear()
    assert run("sync").outcomes == [("update", "done")]
    assert alder.bills == {ENDPOINT: 13}


@pytest.mark.parametrize(
    "wrong", [{"quantity": 1}, {"billCustomer": "NoCharge"}, {"serialNumber": ""}, {"cancelledDate": None}]
)
def test_a_new_line_that_is_not_as_asked_is_no_success(
    msp: Msp, run: Run, simulator: Simulator, wrong: dict[str, Any]
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    shown = Fault("body", method="POST", path="/additions", edit=lambda body: body | wrong)
    simulator.faults.add(shown)

    done = run("sync")
    assert done.exit_code == (0 if "cancelledDate" in wrong else 6)
    assert len(alder.lines()) == 1

    run("sync")
    assert alder.bills == {ENDPOINT: 12}


def test_a_new_line_that_connectwise_made_smaller_is_mended_by_the_next_run(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    def shrink(_vendor: str, method: str, path: str, _number: int) -> None:
        if method == "POST" and path.endswith("/additions"):
            alder.line().quantity = Decimal(3)

    simulator.after_commit = shrink
    simulator.faults.add(
        Fault("body", method="POST", path="/additions", edit=lambda body: body | {"quantity": 3})
    )
    assert run("sync").outcomes == [("create", "failed")]

    assert run("sync").outcomes == [("update", "done")]
    assert alder.bills == {ENDPOINT: 12}


def test_a_change_that_connectwise_refuses_fails_alone_and_is_tried_again(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12}, invoiced_through=date(2026, 10, 31))
    birch, cedar = msp.customer("Birch", {"CIXA-MSP": 7}), msp.customer("Cedar", {"CIXA-MSP": 3})

    done = run("sync")

    assert done.exit_code == 6
    assert done.outcomes == [("create", "failed"), ("create", "done"), ("create", "done")]
    assert "already been invoiced" in done.json["outcomes"][0]["message"]
    assert (alder.bills, birch.bills, cedar.bills) == ({}, {ENDPOINT: 7}, {ENDPOINT: 3})

    assert run("sync").exit_code == 6
    alder.agreement.prorate = True
    assert run("sync").outcomes == [("create", "done")]
    assert alder.bills == {ENDPOINT: 12}


def test_too_many_requests_are_waited_out(
    msp: Msp, run: Run, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 12}), msp.customer("Birch", {"CIXA-MSP": 7})
    run("sync")
    alder.uses("CIXA-MSP", 13)
    alder.uses("CEMA-MSP", 5)
    waited: list[float] = []
    monkeypatch.setattr("connector.vendors.pace.time.sleep", waited.append)
    for method in ("GET", "PATCH", "POST"):
        simulator.faults.add(Fault("429", vendor="connectwise", method=method, times=2, retry_after=7))

    done = run("sync")

    assert done.exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 13, EMAIL: 5}, {ENDPOINT: 7})
    assert any(7 <= seconds < 8 for seconds in waited)


def test_too_many_requests_for_good_fail_and_the_next_run_tries_again(
    msp: Msp, run: Run, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    monkeypatch.setattr(time, "sleep", lambda _: None)
    simulator.faults.add(Fault("429", vendor="connectwise", method="POST", times=None, retry_after=1))
    assert run("sync").exit_code == 6

    simulator.faults.clear()
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_an_outage_in_the_middle_leaves_the_rest_untried(msp: Msp, run: Run, simulator: Simulator) -> None:
    run.settings["CONNECTOR_TIMEOUT"] = "0.5"
    customers = msp.customers(12)
    simulator.faults.add(Fault("cut-before", vendor="connectwise", method="POST", after=2, times=None))

    done = run("sync")

    assert done.exit_code == 6
    outcomes = [outcome for _, outcome in done.outcomes]
    assert outcomes.count("done") == 2
    assert 5 <= outcomes.count("unclear") < 5 + 4  # so many in a row, and those that were under way then
    assert done.outcomes[-1] == ("create", "not_tried")
    simulator.faults.clear()
    assert run("sync").exit_code == 0
    assert {customer.bills[ENDPOINT] for customer in customers} == {10}


def test_credentials_that_end_in_the_middle_leave_the_rest_untried(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    customers = msp.customers(5)
    simulator.faults.add(Fault("401-expired-token", vendor="connectwise", method="POST", after=1, times=None))

    assert run("sync").exit_code == 6
    simulator.faults.clear()
    assert run("sync").exit_code == 0
    assert {customer.bills[ENDPOINT] for customer in customers} == {10}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_in_whatever_order_the_months_end_right(
    msp: Msp, run: Run, simulator: Simulator, seed: int
) -> None:
    """Every kind of failure at random, over three months, until a run says that all is done."""
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    msp.mappings["defaults"] = {"mark": bool(seed % 2), "adopt": "auto"}
    msp.mappings["guards"] = {"at_least": 1000}
    customers = msp.customers(4)
    customers[0].has(ENDPOINT, 3)
    for month, quantity in enumerate((10, 20, 0)):
        for number, customer in enumerate(customers):
            customer.uses("CIXA-MSP", quantity + number)
        for place, kind in enumerate(LOST):
            if kind != "401-expired-token":
                simulator.faults.add(
                    Fault(
                        kind,
                        vendor="connectwise",
                        method="POST" if (place + seed) % 2 else "PATCH",
                        rate=0.06,
                    )
                )
        simulator.faults.add(Fault("500", vendor="connectwise", method="GET", rate=0.05, times=2))
        codes = []
        for attempt in range(12):
            codes.append(run("sync").exit_code)
            if attempt > 6:
                simulator.faults.clear()
            if codes[-1] == 0:
                break
        assert codes[-1] == 0, (month, codes)
        assert set(codes) <= {0, 5, 6}
        simulator.faults.clear()
        assert [customer.bills for customer in customers] == [
            {ENDPOINT: quantity + number} if quantity + number or month else {}
            for number, _ in enumerate(customers)
        ]
        msp.next_month()
    assert run("sync").writes == []


def test_a_post_that_was_throttled_is_only_repeated_after_another_look(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    simulator.faults.add(Fault("429", method="POST", path="/additions", retry_after=0))

    def person(vendor: str, method: str, *_: object) -> None:
        if vendor == "connectwise" and method == "POST":
            alder.has(ENDPOINT, 11)

    simulator.before_request = person

    done = run("sync")

    assert (done.exit_code, done.outcomes) == (6, [("create", "failed")])
    assert len(done.writes) == 1
    assert alder.bills == {ENDPOINT: 11}
