"""Latency, ConnectWise's limits, and worlds of many tenants."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import requests

from connector.simulator import Simulator, World, generated_world, small_world

SEPTEMBER, OCTOBER = (2026, 9), (2026, 10)
REPORT = "/system/reports/AgreementAdditions"


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ConnectWise:
    """A client that any thread may use."""

    def __init__(self, simulator: Simulator) -> None:
        settings = simulator.settings()
        self.url = settings["CONNECTWISE_URL"]
        self.auth = (
            f"{settings['CONNECTWISE_COMPANY']}+{settings['CONNECTWISE_PUBLIC_KEY']}",
            settings["CONNECTWISE_PRIVATE_KEY"],
        )
        self.headers = {"clientId": settings["CONNECTWISE_CLIENT_ID"]}

    def get(self, path: str = "/system/info", **query: Any) -> requests.Response:
        return requests.get(self.url + path, params=query, auth=self.auth, headers=self.headers, timeout=60)

    def rows(self, **query: Any) -> list[list[Any]]:
        rows: list[list[Any]] = self.get(REPORT, **query).json()["row_values"]
        return rows


@pytest.fixture
def clock(world: World) -> Clock:
    world.clock = Clock()
    return world.clock


@pytest.fixture
def connectwise(clock: Clock, simulator: Simulator) -> ConnectWise:
    return ConnectWise(simulator)


@pytest.fixture
def many() -> Iterator[tuple[World, ConnectWise]]:
    world = generated_world(30, lines=8)
    with Simulator(world) as simulator:
        yield world, ConnectWise(simulator)


# Latency


def test_requests_on_their_way_hold_up_neither_each_other_nor_the_world() -> None:
    world, arrived = small_world(), threading.Semaphore(0)
    with Simulator(world, latency=600) as simulator, ThreadPoolExecutor(3) as threads:
        simulator.before_request = lambda *_: arrived.release()
        client = ConnectWise(simulator)
        waiting = [threads.submit(client.get) for _ in range(3)]
        assert all(arrived.acquire(timeout=30) for _ in waiting)
        assert world.lock.acquire(timeout=30)
        world.lock.release()
        assert not any(each.done() for each in waiting)
        simulator.close()
        assert [type(each.exception(timeout=30)) for each in waiting] == [requests.ConnectionError] * 3


def test_a_write_that_was_still_on_its_way_when_the_server_stopped_never_arrived() -> None:
    world, arrived = small_world(), threading.Event()
    with Simulator(world, latency=600) as simulator, ThreadPoolExecutor(1) as thread:
        simulator.before_request = lambda *_: arrived.set()
        client = ConnectWise(simulator)
        sent = thread.submit(
            requests.post,
            f"{client.url}/finance/agreements/101/additions",
            json={"product": {"id": 41}, "billCustomer": "Billable"},
            auth=client.auth,
            headers=client.headers,
            timeout=60,
        )
        assert arrived.wait(30)
        simulator.close()
        assert isinstance(sent.exception(timeout=30), requests.ConnectionError)
    assert world.history == []


def test_every_request_to_a_vendor_takes_the_latency_and_steering_does_not(simulator: Simulator) -> None:
    waited: list[float] = []
    simulator._traffic.pause = waited.append
    assert simulator.latency == 0
    ConnectWise(simulator).get()
    simulator.latency = 0.25
    ConnectWise(simulator).get()
    requests.get(f"{simulator.url}/whoami/v1", timeout=10)
    requests.get(f"{simulator.url}/simulator/", timeout=10)
    assert (waited, simulator.latency) == ([0.25, 0.25], 0.25)


# ConnectWise's limits


def test_connectwise_throttles_nobody_until_switched_on(
    connectwise: ConnectWise, simulator: Simulator
) -> None:
    throttle = simulator._traffic._throttle
    throttle._left = 0
    assert connectwise.get().status_code == 200


def test_the_bucket_of_a_thousand_requests_refills_a_thousand_a_minute(
    connectwise: ConnectWise, simulator: Simulator, world: World, clock: Clock
) -> None:
    world.connectwise_limits = True
    throttle = simulator._traffic._throttle
    for _ in range(999):
        assert throttle.enter()
        throttle.leave()
    assert [connectwise.get().status_code for _ in range(3)] == [200, 429, 429]
    clock.now += 0.13  # two requests and a bit
    assert [connectwise.get().status_code for _ in range(3)] == [200, 200, 429]
    clock.now += 3600  # it holds no more than a thousand
    left = 0
    while throttle.enter():
        throttle.leave()
        left += 1
    assert left == 1000


def test_too_many_requests_are_told_in_connectwise_s_own_words(
    connectwise: ConnectWise, simulator: Simulator, world: World
) -> None:
    world.connectwise_limits = True
    simulator._traffic._throttle._left = 0
    refused = connectwise.get()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    assert refused.json() == {
        "error": "ConnectWiseAPI",
        "message": "Too many requests. Please try again in 30 seconds.",
    }
    assert simulator.requests[-1].status == 429
    world.connectwise_retry_after = None
    assert "Retry-After" not in connectwise.get().headers


def test_the_ninth_request_at_a_time_is_one_too_many(
    connectwise: ConnectWise, simulator: Simulator, world: World
) -> None:
    world.connectwise_limits = True
    together = threading.Barrier(9)

    def wait_for_all(*_: object) -> None:
        together.wait(60)

    simulator.before_request = wait_for_all
    with ThreadPoolExecutor(9) as threads:
        statuses = [threads.submit(connectwise.get) for _ in range(9)]
        assert Counter(each.result().status_code for each in statuses) == {200: 8, 429: 1}
    simulator.before_request = None
    assert connectwise.get().status_code == 200


def test_sophos_is_not_counted_at_connectwise(
    connectwise: ConnectWise, simulator: Simulator, world: World
) -> None:
    world.connectwise_limits = True
    simulator._traffic._throttle._left = 1
    requests.get(f"{simulator.url}/whoami/v1", timeout=10)
    assert connectwise.get().status_code == 200


# Worlds of many tenants


def test_a_world_of_so_many_lines_has_exactly_those_for_each_tenant() -> None:
    world = generated_world(40, seed=3, lines=8)
    for period in (SEPTEMBER, OCTOBER):
        used: Counter[str] = Counter()
        for row in world.usage[period]:
            firewall = world.firewalls.get(row.serial_or_account)
            used[(firewall.billing_tenant if firewall else row.account_id) or ""] += 1
        assert used == dict.fromkeys(world.tenants, 8)
    assert len(world.firewalls) == 16


def test_without_a_wish_a_generated_world_is_the_one_it_always_was() -> None:
    world = generated_world(20, seed=7)
    assert sum(row.quantity for row in world.usage[OCTOBER]) == 8_806
    assert (len(world.usage[OCTOBER]), len(world.firewalls)) == (162, 10)


def test_the_report_stays_in_order_whatever_comes_and_goes(many: tuple[World, ConnectWise]) -> None:
    world, connectwise = many
    last = world.add_addition(101, 41, 3)
    assert connectwise.rows(columns="Addition_RecId", pageSize=1000)[-1] == [last.id]
    low = world.additions.pop(last.id)
    low.id = 5
    world.additions[5] = low
    rows = connectwise.rows(columns="Addition_RecId", pageSize=1000)
    assert rows == [[number] for number in sorted(world.additions)]
    assert rows[0] == [5]


def test_an_addition_put_in_another_s_place_is_the_only_one(many: tuple[World, ConnectWise]) -> None:
    world, connectwise = many
    number, line = next(iter(world.additions.items()))
    world.additions[number] = replace(line, quantity=Decimal(77))
    rows = connectwise.rows(columns="Addition_RecId,Total_Quantity", pageSize=1000)
    assert [row for row in rows if row[0] == number] == [[number, 77]]
    assert len(rows) == len(world.additions)
    assert [each.quantity for each in world.additions.of(line.agreement_id)] == [Decimal(77)]


def test_the_pages_of_a_filtered_report_show_what_was_written_between_them(
    many: tuple[World, ConnectWise],
) -> None:
    world, connectwise = many

    def page(number: int) -> list[list[Any]]:
        return connectwise.rows(
            conditions="Total_Quantity > 0", columns="Addition_RecId", pageSize=4, page=number
        )

    first, second = page(1), page(2)
    assert [row[0] for row in (*first, *second)] == sorted(world.additions)[:8]
    gone = world.additions.pop(first[0][0])
    assert page(2) == [*second[1:], [sorted(world.additions)[7]]]
    line = world.additions[second[0][0]]
    line.quantity = Decimal(0)
    assert [line.id] not in [*page(1), *page(2)]
    world.additions_hidden = {world.additions[second[1][0]].agreement_id}
    assert second[1] not in page(2)
    assert gone.id not in world.additions


def test_a_list_can_be_chosen_by_many_ids_in_any_case(many: tuple[World, ConnectWise]) -> None:
    world, connectwise = many

    def ids(path: str, conditions: str) -> list[int]:
        return [each["id"] for each in connectwise.get(path, conditions=conditions, pageSize=1000).json()]

    first, second, *_ = world.companies.values()
    names = f'identifier in ("{first.identifier.upper()}", "{second.identifier}", "nobody")'
    assert ids("/company/companies", names) == [first.id, second.id]
    agreements = "/finance/agreements"
    assert ids(agreements, f"company/id in ({first.id}, {second.id})") == [101, 102]
    assert ids(agreements, f"Company/ID = {first.id} or id in (102, 9)") == [101, 102]
    assert ids(agreements, f'company/identifier in ("{second.identifier}")') == [102]
    del world.companies[first.id]
    assert ids(agreements, f"company/id in ({first.id}, {second.id})") == [102]
    assert connectwise.get(agreements, conditions='id in ("a", "b")').status_code == 400
    assert connectwise.get(agreements, conditions="company/nothing in (1)").status_code == 400
    assert connectwise.get(agreements, conditions="name/nothing in (1)").status_code == 400
    assert ids(agreements, "parentAgreement/id in (101)") == []
    assert ids(agreements, "cancelledFlag in (true, false) and id in (101, 102)") == [101, 102]
