"""Both vendors are read at the same time, and only where there is a month to bill."""

import threading

from months.calling import Run
from months.msp import ENDPOINT, Msp

from connector.simulator import Fault, Simulator


def test_a_month_that_is_not_out_asks_connectwise_nothing(msp: Msp, run: Run, simulator: Simulator) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    assert run("sync", "2026-12").exit_code == 8

    assert {request.vendor for request in simulator.requests} == {"sophos"}


def test_connectwise_is_read_while_sophos_still_answers(msp: Msp, run: Run, simulator: Simulator) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    read = threading.Event()
    together = []

    def sophos_waits_for_connectwise(vendor: str, method: str, path: str, _number: int) -> None:
        if vendor == "connectwise" and method == "GET" and path.endswith("/additions"):
            read.set()
        if vendor == "sophos" and path.endswith("/firewalls"):
            together.append(read.wait(20))

    simulator.before_request = sophos_waits_for_connectwise

    assert run("sync").exit_code == 0

    assert together == [True]
    assert alder.bills == {ENDPOINT: 12}


def test_where_sophos_fails_nothing_is_written_though_connectwise_was_read(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    simulator.faults.add(Fault("403", vendor="sophos", path="/partner/v1/tenants", times=None))

    assert run("sync").exit_code == 5

    assert (simulator.writes, alder.bills) == ((), {})
